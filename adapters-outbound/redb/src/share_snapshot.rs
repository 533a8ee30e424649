//! A share as of one instant, for backups.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    NodeId, ObjectId, ShareId,
    backup::PINS,
    plan::{ObjectRecord, ObjectState, Statistics},
};
use dittofs_ports::{MetadataError, ShareRecord, ShareSnapshot, SnapshotRow};

use crate::{
    codec,
    fault::Fault,
    keys,
    snapshot::references_from,
    store::Connection,
    tables::{Kind, Snapshot},
    writer::Published,
};

/// The kinds of rows that a share has, except for its own row.
pub(crate) const KINDS_OF_SHARE: [Kind; 11] = [
    Kind::Entry,
    Kind::Listing,
    Kind::Node,
    Kind::Row,
    Kind::Unlinked,
    Kind::PendingTruncation,
    Kind::Object,
    Kind::Reference,
    Kind::Count,
    Kind::Folded,
    Kind::Xattrs,
];

/// The name of this release's row format. The values carry versions of their own.
pub(crate) const ROWS_FORMAT: &str = "redb 5";
/// That of the releases before, which had no extended attributes. A share without any is still given in it, so that
/// these releases can restore it.
pub(crate) const ROWS_FORMAT_4: &str = "redb 4";
/// That of the releases before these: keys of references did not say until when.
pub(crate) const ROWS_FORMAT_3: &str = "redb 3";

const KEY_TOO_SHORT: &str = "a key that is too short";

/// Makes a row of the releases before one of this release.
pub(crate) fn upgrade_row(row: &mut SnapshotRow) {
    if row.table == Kind::Reference as u8 {
        row.key = keys::reference_upgraded(&row.key).into_vec();
    }
}

/// A share after one commit, which the database keeps for as long as this lives.
pub(crate) struct RedbSnapshot {
    store: Arc<Connection>,
    published: Arc<Published>,
    share: ShareId,
}

impl RedbSnapshot {
    pub(crate) fn new(store: Arc<Connection>, share: ShareId) -> Result<RedbSnapshot, MetadataError> {
        let published = store.published()?;
        Ok(RedbSnapshot { store, published, share })
    }

    fn read<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T, Fault>) -> Result<T, MetadataError> {
        // One of an earlier opening keeps the database from being opened again: whoever has it must let it go.
        if self.store.published()?.opening != self.published.opening {
            return Err(MetadataError::Unavailable("the database was opened again meanwhile".into()));
        }
        self.store.read_from(&self.published, |published| read(&published.tables))
    }
}

#[async_trait]
impl ShareSnapshot for RedbSnapshot {
    fn format(&self) -> String {
        let has_xattrs = self.read(|tables| Ok(!tables.is_empty(Kind::Xattrs, keys::of_share(self.share))?));
        // Where it can't be read, no row can.
        if has_xattrs.unwrap_or(true) { ROWS_FORMAT.to_owned() } else { ROWS_FORMAT_4.to_owned() }
    }

    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        let record = self.read(|tables| tables.share(self.share))?;
        record.ok_or_else(|| MetadataError::Corrupt(format!("share {} has no row", self.share).into()))
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.read(|tables| tables.statistics(self.share))
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.read(|tables| objects_in_use(tables, self.share, after, max))
    }

    async fn rows(&self, after: Option<SnapshotRow>, bytes_max: usize) -> Result<Vec<SnapshotRow>, MetadataError> {
        self.read(|tables| rows_after(tables, self.share, after.as_ref(), bytes_max))
    }
}

fn objects_in_use(
    tables: &Snapshot,
    share: ShareId,
    after: Option<ObjectId>,
    max: usize,
) -> Result<Vec<ObjectRecord>, Fault> {
    let mut found = Vec::new();
    let first = after.map_or(Some(0), |after| after.0.checked_add(1));
    let Some(first) = first.filter(|_| max > 0) else { return Ok(found) };
    let keys = keys::object(share, ObjectId(first))..=keys::object(share, ObjectId(u128::MAX));
    tables.scan(Kind::Object, keys, |key, value| {
        let id = keys::object_at(key, 8).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?;
        let record = codec::decode_object(id, value)?;
        if record.state == ObjectState::Live && is_used(tables, share, id)? {
            found.push(record);
        }
        Ok(found.len() < max)
    })?;
    Ok(found)
}

/// Whether a file refers to an object.
fn is_used(tables: &Snapshot, share: ShareId, object: ObjectId) -> Result<bool, Fault> {
    let keys = references_from(share, object, NodeId(PINS.0 + 1));
    Ok(!tables.is_empty(Kind::Reference, keys)?)
}

fn rows_after(
    tables: &Snapshot,
    share: ShareId,
    after: Option<&SnapshotRow>,
    bytes_max: usize,
) -> Result<Vec<SnapshotRow>, Fault> {
    let (mut rows, mut bytes, bytes_max) = (Vec::new(), 0, bytes_max.max(1));
    // The index of folded names is made again where the entries are restored.
    let kinds = KINDS_OF_SHARE.iter().copied().filter(|kind| *kind != Kind::Folded);
    for kind in kinds.skip_while(|kind| after.is_some_and(|after| after.table != *kind as u8)) {
        let mut keys = keys::of_share(share);
        if let Some(after) = after.filter(|after| after.table == kind as u8) {
            let mut next = keys::with_share(share, &after.key);
            next.push(0);
            keys = next..=keys.end().clone();
        }
        tables.scan(kind, keys, |key, value| {
            if is_part(tables, share, kind, key)? {
                let rest = keys::without_share(key).ok_or_else(|| Fault::damaged(KEY_TOO_SHORT))?;
                bytes += key.len() + value.len();
                rows.push(SnapshotRow { table: kind as u8, key: rest.to_vec(), value: value.to_vec() });
            }
            Ok(bytes < bytes_max)
        })?;
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(rows)
}

/// Whether a record belongs to the share as files see it: objects that none of them refers to, and pins of other
/// backups, do not.
fn is_part(tables: &Snapshot, share: ShareId, kind: Kind, key: &[u8]) -> Result<bool, Fault> {
    let too_short = || Fault::damaged(KEY_TOO_SHORT);
    match kind {
        Kind::Object => is_used(tables, share, keys::object_at(key, 8).ok_or_else(too_short)?),
        Kind::Reference => Ok(keys::number_at(key, 24).ok_or_else(too_short)? != PINS.0),
        _ => Ok(true),
    }
}
