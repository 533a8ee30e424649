//! Metadata.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Epoch, FoldTable, HandleKey, KeyId, Name, Node, NodeId, ObjectId, OpId, Scale, ShareId,
    backup::Backups,
    namespace::stream::StreamEntry,
    ownership::Lineage,
    plan::{Applied, ObjectRecord, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
};

use super::{ApplyError, MetadataError, ShareSnapshot, SnapshotRow, Survives, UserStore};

/// The row of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRecord {
    /// Its id: 64 random bits.
    pub id: ShareId,
    /// Its name: an absolute path.
    pub name: String,
    /// The key of its handles.
    pub handle_key: HandleKey,
    /// The owner under which it has claimed its objects: 128 random bits.
    pub content_owner: u128,
    /// Its journal: 128 random bits; 0 for shares without one.
    pub journal: u128,
    /// Which life of the journal.
    pub journal_incarnation: u64,
    /// Whether records may be in the journal that are not in the stores.
    pub dirty: bool,
    /// The sizes by which its files are divided: those that it was made with.
    pub scale: Scale,
    /// Whether the sums count nodes, names and targets as well. Shares that were made before they did count once they
    /// are opened.
    pub counts_names: bool,
    /// The table by which its names are folded, once all of them are in the index of folded names: then for ever the
    /// same. None in the row of a share that was made before there was such an index. A store fills the index before
    /// it gives the share out, so [`ShareMetadata::record`] always has one.
    pub folding: Option<FoldTable>,
    /// The keys that seal its content.
    pub keys: KeysInUse,
    /// The starts of servers that were given for the share.
    pub lineage: Lineage,
    /// The backups that pin objects of it.
    pub backups: Backups,
}

impl ShareRecord {
    /// The row of a new share of the usual scale, with a key, an owner and a journal that are all 0: replace them.
    pub fn new(id: ShareId, name: impl Into<String>) -> ShareRecord {
        ShareRecord {
            id,
            name: name.into(),
            handle_key: HandleKey([0; 16]),
            content_owner: 0,
            journal: 0,
            journal_incarnation: 0,
            dirty: false,
            scale: Scale::PRODUCTION,
            counts_names: true,
            folding: Some(FoldTable::NEWEST),
            keys: KeysInUse::default(),
            lineage: Lineage::default(),
            backups: Backups::default(),
        }
    }
}

/// Keys that seal something of a share, or did. Each is here before it seals anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysInUse {
    /// The keys.
    pub in_use: BTreeSet<KeyId>,
    /// Whether there are no others: a share that was written before rows had keys is looked through once.
    pub are_all: bool,
}

/// A share that nothing is sealed in.
impl Default for KeysInUse {
    fn default() -> KeysInUse {
        KeysInUse { in_use: BTreeSet::new(), are_all: true }
    }
}

/// A store of metadata, shared by several shares.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait MetadataStore: Send + Sync {
    /// Returns the failures that a plan survives once `apply` has returned.
    fn survives(&self) -> Survives;

    /// The shares that it holds.
    async fn shares(&self) -> Result<Vec<ShareRecord>, MetadataError>;

    /// Makes a share with this row and this root directory; if one with this id is there, changes nothing.
    async fn create_share(&self, record: &ShareRecord, root: &Node) -> Result<(), MetadataError>;

    /// The metadata of a share; none if there is no share with this id. `Unavailable` if another server has the share:
    /// it is this one's as long as what is returned is in use.
    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError>;

    /// Removes a share with everything that it has; one that is not there is no error. The share is no longer used by
    /// anybody. If the removal is interrupted, the share is still listed, and can be removed again.
    async fn remove_share(&self, id: ShareId) -> Result<(), MetadataError>;

    /// Puts rows of a snapshot in place, for a share that is not there yet.
    /// - nobody sees a share while only its rows were put; [`MetadataStore::remove_share`] removes them;
    /// - rows of another format than `format` says, or of a share that is there, are refused as `Unavailable`.
    async fn restore_rows(&self, id: ShareId, format: String, rows: Vec<SnapshotRow>) -> Result<(), MetadataError>;

    /// Makes a share of the rows that were put, all at once: it is there with this row when that returns.
    /// - each of its counters has jumped by `ahead`, so that what was given since the snapshot is not given again;
    /// - a share that is there already is refused as `Unavailable`.
    async fn restore_share(&self, record: &ShareRecord, ahead: u64) -> Result<(), MetadataError>;

    /// The users that are kept beside the shares. The server uses those of one store only.
    fn users(&self) -> Arc<dyn UserStore>;
}

/// Which numbers to allocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Node ids and cookies, from [`NodeId::FIRST_FREE`] on.
    Ids,
    /// Stamps for `change` of nodes with unflushed writes.
    Stamps,
    /// Epochs of instances.
    Epochs,
    /// Numbers of trees, from [`Tree::FIRST`](dittofs_domain::Tree::FIRST) on, up to
    /// [`Tree::MAX`](dittofs_domain::Tree::MAX). Taking the next one ends the living tree of that number, as for a snapshot.
    /// Rows that are written from then on carry the one after it (`since`).
    Trees,
}

/// An entry of a directory, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Name,
    /// Its cookie.
    pub cookie: Cookie,
    /// Where it leads.
    pub node: NodeId,
    /// That node, if asked for.
    pub record: Option<Arc<Node>>,
}

impl From<Listed> for StreamEntry {
    fn from(Listed { name, cookie, node, record }: Listed) -> StreamEntry {
        StreamEntry { name, cookie, node, is_there: record.is_some() }
    }
}

/// A part of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Entries in the order of their cookies.
    pub entries: Vec<Listed>,
    /// Whether these are the last ones.
    pub complete: bool,
}

/// The metadata of one share. It knows nothing of POSIX.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ShareMetadata: Send + Sync {
    /// The share's row.
    async fn record(&self) -> Result<ShareRecord, MetadataError>;

    /// Replaces the share's row, whose id must be the same. The table of folded names stays as it is.
    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError>;

    /// Reads what a query asks for.
    /// - all of it as of one instant, which is after every plan whose `apply` had returned;
    /// - nodes that do not exist are left out; entries are answered in the order of the query;
    /// - of a name in any case, the first entries, by cookie, whose names fold as it does by the share's table, with
    ///   the folded name. All plans keep up what that rests on, whether they respect case or not;
    /// - ancestors go from the directory to the root, and are empty if it does not exist;
    /// - of a map, first the row that covers the first page, if any;
    /// - of an operation whose plan was applied in the last 120 s, what came of it: also after a crash or a restart,
    ///   as far as the store survives that. The 120 s begin anew when the store is opened. Of more than 64,000
    ///   operations only the newest need be remembered;
    /// - of a node, its extended attributes; `Corrupt` where they are damaged;
    /// - where several instances serve the share, the lease of each node that it brings; where one does, none.
    async fn view(&self, query: &Query) -> Result<View, MetadataError>;

    /// Applies a plan, all or nothing.
    /// - a plan that ended as [`ApplyError::Unknown`] is applied before everything that this instance asks for or changes
    ///   afterwards, or never;
    /// - expectations are checked at the instant of commit, all before the first change; `Conflict` if one fails,
    ///   and then nothing has changed;
    /// - serializable: two plans that break each other's expectations are never both applied;
    /// - plans that add different names to one directory do not conflict;
    /// - of each node touched, `ctime` becomes at least `max(now, stored + 1 ns)` where it advances, a directory's
    ///   `mtime` likewise, and `change` rises by one at least; neither ever stands still or goes back;
    /// - a plan with an `op` that the store remembers is a `Conflict`, be it the same plan or another one: a view with
    ///   that `op` brings what came of the first. Only plans that were applied are remembered;
    /// - `Malformed` for a plan of more than `PLAN_STEPS_MAX` steps, or one whose changes contradict each other:
    ///   a lease that is granted where one instance has the share, an entry inserted twice, an update of a node that is not there and that no expectation names (an absent
    ///   node that an expectation names is a `Conflict`).
    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError>;

    /// Entries of a directory (or streams of a node) after a cookie.
    /// - in the order of cookies; an entry that is there all the while comes exactly once;
    /// - never fails because entries come, go or are renamed meanwhile;
    /// - with `records`, each with its node as of the same instant.
    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError>;

    /// The name of the entry with this cookie, to name a node's path in messages.
    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError>;

    /// Takes numbers, which nobody else ever gets: not after a crash, not in another instance.
    /// Of none (`count` 0) the range says which is the next.
    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError>;

    /// Whether the instance that started under an epoch can change nothing of the share any more. Nobody asks it of its
    /// own epoch.
    async fn has_ended(&self, epoch: Epoch) -> Result<bool, MetadataError>;

    /// Nodes without a name, in the order of their ids, after `after`.
    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError>;

    /// Nodes with a pending truncation, in the order of their ids, after `after`.
    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError>;

    /// Objects in the order of their ids, after `after`.
    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError>;

    /// Which chunks of which nodes refer to an object.
    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError>;

    /// All nodes in the order of their ids, after `after`: with a name or without.
    /// `Corrupt` if one of those that were asked for is damaged: [`ShareMetadata::node_ids`] says which there are.
    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError>;

    /// The ids of all nodes in their order, after `after`: also of those whose rows are damaged.
    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError>;

    /// All references in their order, after `after`, also those of objects that have no row.
    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError>;

    /// The nodes for which extended attributes are kept, in the order of their ids, after `after`: each with what they
    /// count for; none where they are damaged. Also of nodes that are not there.
    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError>;

    /// Sums over the share.
    async fn statistics(&self) -> Result<Statistics, MetadataError>;

    /// The share as it is now, for a backup; none where the store can't give it.
    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError>;
}
