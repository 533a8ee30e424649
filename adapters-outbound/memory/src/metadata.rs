//! The metadata store: one lock a share over plain collections, never held over an await.

mod bodies;
mod change;
mod directory;
mod expectation;
mod folded;
mod nodes;
mod operations;
mod ordered;
mod share;
mod state;
mod transaction;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{Node, ShareId, plan::OperationsKept};
use dittofs_ports::{MetadataError, MetadataStore, ShareMetadata, ShareRecord, SnapshotRow, Survives, UserStore};
use parking_lot::RwLock;

use crate::users::MemoryUsers;
use share::MemoryShare;

/// Metadata in memory.
#[derive(Default)]
pub struct MemoryMetadataStore {
    shares: RwLock<HashMap<ShareId, Arc<MemoryShare>>>,
    users: Arc<MemoryUsers>,
    kept: OperationsKept,
}

impl MemoryMetadataStore {
    /// A store without shares.
    pub fn new() -> MemoryMetadataStore {
        MemoryMetadataStore::default()
    }

    /// The same, which remembers so many operations of each share, for so long.
    pub fn remembering(kept: OperationsKept) -> MemoryMetadataStore {
        MemoryMetadataStore { kept, ..MemoryMetadataStore::default() }
    }
}

#[async_trait]
impl MetadataStore for MemoryMetadataStore {
    fn survives(&self) -> Survives {
        Survives::Nothing
    }

    async fn shares(&self) -> Result<Vec<ShareRecord>, MetadataError> {
        let mut records: Vec<ShareRecord> = self.shares.read().values().map(|share| share.row()).collect();
        records.sort_by_key(|record| record.id);
        Ok(records)
    }

    async fn create_share(&self, record: &ShareRecord, root: &Node) -> Result<(), MetadataError> {
        let (mut shares, kept) = (self.shares.write(), self.kept);
        shares.entry(record.id).or_insert_with(|| Arc::new(MemoryShare::new(record.clone(), root.clone(), kept)));
        Ok(())
    }

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let share = self.shares.read().get(&id).cloned();
        Ok(share.map(|share| share as Arc<dyn ShareMetadata>))
    }

    async fn remove_share(&self, id: ShareId) -> Result<(), MetadataError> {
        self.shares.write().remove(&id);
        Ok(())
    }

    async fn restore_rows(&self, _: ShareId, _: String, _: Vec<SnapshotRow>) -> Result<(), MetadataError> {
        Err(not_restored())
    }

    async fn restore_share(&self, _: &ShareRecord, _: u64) -> Result<(), MetadataError> {
        Err(not_restored())
    }

    fn users(&self) -> Arc<dyn UserStore> {
        Arc::clone(&self.users) as Arc<dyn UserStore>
    }
}

/// Returns the refusal of a restoration. Data in memory go with the process, so there is nothing to restore to.
fn not_restored() -> MetadataError {
    MetadataError::Unavailable("no backup can be restored into a store in memory".into())
}

#[cfg(test)]
mod tests;
