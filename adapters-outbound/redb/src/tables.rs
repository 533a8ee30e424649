//! The tables, and single records in them, whether in a snapshot or inside a transaction.

use std::{
    ops::{Deref, RangeInclusive},
    sync::Arc,
};

use dittofs_domain::{
    Cookie, Node, NodeId, ObjectId, ShareId,
    plan::{EntryKey, ObjectRecord, Space},
    xattr::Xattrs,
};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction};

use crate::{
    codec,
    fault::Fault,
    keys::{self, Count, Key},
    redo::Redo,
};

/// Which records a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Share = 0,
    Count,
    Node,
    Entry,
    Listing,
    Row,
    Unlinked,
    PendingTruncation,
    Object,
    Reference,
    Operations,
    User,
    Folded,
    Xattrs,
}

impl Kind {
    /// How many there are.
    pub(crate) const COUNT: usize = KINDS.len();

    /// The kind with this number.
    pub(crate) fn of(number: u8) -> Option<Kind> {
        KINDS.get(usize::from(number)).map(|(kind, _)| *kind)
    }
}

const KINDS: [(Kind, &str); 14] = [
    (Kind::Share, "share"),
    (Kind::Count, "count"),
    (Kind::Node, "node"),
    (Kind::Entry, "entry"),
    (Kind::Listing, "listing"),
    (Kind::Row, "row"),
    (Kind::Unlinked, "unlinked"),
    (Kind::PendingTruncation, "clipped"),
    (Kind::Object, "object"),
    (Kind::Reference, "reference"),
    (Kind::Operations, "operations"),
    (Kind::User, "user"),
    (Kind::Folded, "folded"),
    (Kind::Xattrs, "xattrs"),
];

/// The tables that databases of formats 1 and 2 have: the first ones.
pub(crate) const KINDS_OF_FORMAT_2: usize = 10;
/// Those of formats 3 and 4.
pub(crate) const KINDS_OF_FORMAT_4: usize = 11;
/// Those of format 5.
pub(crate) const KINDS_OF_FORMAT_5: usize = 12;
/// Those of format 6.
pub(crate) const KINDS_OF_FORMAT_6: usize = 13;

/// Keys and values are bytes, in the order of bytes.
pub(crate) type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

/// A table that can be read.
pub(crate) trait Readable: ReadableTable<&'static [u8], &'static [u8]> + ReadableTableMetadata {}
impl<T: ReadableTable<&'static [u8], &'static [u8]> + ReadableTableMetadata> Readable for T {}

/// All tables, in the order of [`KINDS`].
pub(crate) struct Tables<T>([T; KINDS.len()]);

pub(crate) type Snapshot = Tables<redb::ReadOnlyTable<&'static [u8], &'static [u8]>>;

/// All tables inside a transaction, and what has been changed in them.
pub(crate) struct Writable<'txn> {
    tables: Tables<redb::Table<'txn, &'static [u8], &'static [u8]>>,
    redo: Redo,
}

impl<'txn> Deref for Writable<'txn> {
    type Target = Tables<redb::Table<'txn, &'static [u8], &'static [u8]>>;

    fn deref(&self) -> &Self::Target {
        &self.tables
    }
}

impl Snapshot {
    pub(crate) fn open(transaction: &ReadTransaction) -> Result<Snapshot, Fault> {
        open_all(|definition| transaction.open_table(definition))
    }

    /// Reads a count that is kept once for the store, whatever other tables there are.
    pub(crate) fn count_of_store(transaction: &ReadTransaction, what: Count) -> Result<i64, Fault> {
        let table = transaction.open_table(Definition::new(KINDS[Kind::Count as usize].1))?;
        let found = table.get(keys::count(ShareId(0), what).as_slice())?;
        Ok(found.map(|value| codec::decode_count(value.value())).transpose()?.unwrap_or_default())
    }

    /// Sees that the first so many tables are there.
    pub(crate) fn probe(transaction: &ReadTransaction, kinds: usize) -> Result<(), Fault> {
        let mut kinds = KINDS.iter().take(kinds);
        kinds.try_for_each(|(_, name)| Ok(transaction.open_table(Definition::new(name)).map(drop)?))
    }
}

impl<'txn> Writable<'txn> {
    pub(crate) fn open(transaction: &'txn WriteTransaction) -> Result<Writable<'txn>, Fault> {
        let tables = open_all(|definition| transaction.open_table(definition))?;
        Ok(Writable { tables, redo: Redo::default() })
    }

    /// Returns the changes.
    pub(crate) fn into_redo(self) -> Redo {
        self.redo
    }

    /// Puts a value in place, or removes it; answers the one that was there.
    pub(crate) fn put(&mut self, kind: Kind, key: &[u8], value: Option<&[u8]>) -> Result<Option<Vec<u8>>, Fault> {
        let table = &mut self.tables.0[kind as usize];
        let before = match value {
            Some(value) => table.insert(key, value)?,
            None => table.remove(key)?,
        };
        self.redo.push(kind, key, value);
        Ok(before.map(|before| before.value().to_vec()))
    }
}

fn open_all<T>(mut open: impl FnMut(Definition<'static>) -> Result<T, redb::TableError>) -> Result<Tables<T>, Fault> {
    let mut open = |index: usize| open(TableDefinition::new(KINDS[index].1)).map_err(Fault::from);
    Ok(Tables([
        open(0)?,
        open(1)?,
        open(2)?,
        open(3)?,
        open(4)?,
        open(5)?,
        open(6)?,
        open(7)?,
        open(8)?,
        open(9)?,
        open(10)?,
        open(11)?,
        open(12)?,
        open(13)?,
    ]))
}

impl<T: Readable> Tables<T> {
    pub(crate) fn read<V>(
        &self,
        kind: Kind,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, Fault>,
    ) -> Result<Option<V>, Fault> {
        let found = self.0[kind as usize].get(key)?;
        found.map(|value| decode(value.value())).transpose()
    }

    pub(crate) fn has(&self, kind: Kind, key: &[u8]) -> Result<bool, Fault> {
        Ok(self.0[kind as usize].get(key)?.is_some())
    }

    /// Records between two keys, both included. Each is given to `take` with its key, until that answers false.
    pub(crate) fn scan(
        &self,
        kind: Kind,
        keys: RangeInclusive<Key>,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        for pair in self.0[kind as usize].range::<&[u8]>(keys.start().as_slice()..=keys.end().as_slice())? {
            let (key, value) = pair?;
            if !take(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }

    /// Returns how many records a table has.
    pub(crate) fn len(&self, kind: Kind) -> Result<u64, Fault> {
        Ok(self.0[kind as usize].len()?)
    }

    /// Whether there is nothing between two keys, both included.
    pub(crate) fn is_empty(&self, kind: Kind, keys: RangeInclusive<Key>) -> Result<bool, Fault> {
        let mut is_empty = true;
        self.scan(kind, keys, |_, _| {
            is_empty = false;
            Ok(false)
        })?;
        Ok(is_empty)
    }

    /// The last record between two keys, both included.
    pub(crate) fn last<V>(
        &self,
        kind: Kind,
        keys: RangeInclusive<Key>,
        decode: impl FnOnce(&[u8], &[u8]) -> Result<V, Fault>,
    ) -> Result<Option<V>, Fault> {
        let mut range = self.0[kind as usize].range::<&[u8]>(keys.start().as_slice()..=keys.end().as_slice())?;
        let Some(pair) = range.next_back() else { return Ok(None) };
        let (key, value) = pair?;
        decode(key.value(), value.value()).map(Some)
    }

    pub(crate) fn node(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Node>>, Fault> {
        self.read(Kind::Node, &keys::node(share, id), |value| codec::decode_node(id, value).map(Arc::new))
    }

    pub(crate) fn entry(&self, share: ShareId, key: &EntryKey) -> Result<Option<(NodeId, Cookie)>, Fault> {
        self.read(Kind::Entry, &keys::entry(share, key), codec::decode_entry)
    }

    pub(crate) fn xattrs(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Xattrs>>, Fault> {
        self.read(Kind::Xattrs, &keys::node(share, id), |value| codec::decode_xattrs(value).map(Arc::new))
    }

    pub(crate) fn object(&self, share: ShareId, id: ObjectId) -> Result<Option<ObjectRecord>, Fault> {
        self.read(Kind::Object, &keys::object(share, id), |value| codec::decode_object(id, value))
    }

    /// Reads a count; 0 where nothing was counted yet.
    pub(crate) fn count(&self, share: ShareId, what: Count) -> Result<i64, Fault> {
        Ok(self.read(Kind::Count, &keys::count(share, what), codec::decode_count)?.unwrap_or_default())
    }

    pub(crate) fn topology(&self, share: ShareId) -> Result<u64, Fault> {
        unsigned(self.count(share, Count::Topology)?)
    }

    /// Whether a directory has no entry, or a node no streams.
    pub(crate) fn is_empty_directory(&self, share: ShareId, id: NodeId, space: Space) -> Result<bool, Fault> {
        let (first, last) = keys::directory(share, id, space);
        self.is_empty(Kind::Listing, first..=last)
    }
}

/// A count that never is negative.
pub(crate) fn unsigned(count: i64) -> Result<u64, Fault> {
    u64::try_from(count).map_err(|_| Fault::damaged(format!("a count of {count}, which can't be negative")))
}
