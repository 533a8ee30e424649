//! A share as of one instant, row by row, for backups.

use async_trait::async_trait;
use dittofs_domain::{
    ObjectId,
    plan::{ObjectRecord, Statistics},
};

use super::{MetadataError, ShareRecord};

/// A row of a share. What is in it only stores of its format know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Which table it is of.
    pub table: u8,
    /// Its key in the table; which share it is of is not in it.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// A share as of one instant, whatever happens to the share since. It is held for minutes, not for hours: a store can't
/// give back what was removed meanwhile.
#[async_trait]
pub trait ShareSnapshot: Send + Sync {
    /// Returns the name of the format of its rows. A store that restores them must know it.
    fn format(&self) -> String;

    /// The share's row, which is not among its rows.
    async fn record(&self) -> Result<ShareRecord, MetadataError>;

    /// Sums over the share.
    async fn statistics(&self) -> Result<Statistics, MetadataError>;

    /// The objects that files refer to, in the order of their ids, after `after`.
    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError>;

    /// The rows after one, in an order that is always the same: some bytes of them, but one at least; none at the end.
    /// - objects that no file refers to, and pins of backups, are not among them;
    /// - `Unavailable` once the store had to be opened again: then the snapshot is gone for good.
    async fn rows(&self, after: Option<SnapshotRow>, bytes_max: usize) -> Result<Vec<SnapshotRow>, MetadataError>;
}
