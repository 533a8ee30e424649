//! Numbers taken from the metadata store in blocks.

use std::{ops::Range, sync::Arc};

use dittofs_domain::{ChangeId, Cookie, NodeId, error::FsResult, namespace::Fresh};
use dittofs_ports::{Counter, ShareMetadata};
use parking_lot::Mutex;

use crate::volume::share::Share;

/// How many numbers are taken at a time: what a crash loses is only numbers. A visit to the store for each thousand
/// creates.
const BLOCK: u64 = 1_024;

/// The numbers that are left of the blocks taken.
pub(super) struct Numbers {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    ids: Mutex<Range<u64>>,
    stamps: Mutex<Range<u64>>,
}

impl Numbers {
    pub(super) fn new(share: Arc<Share>, metadata: Arc<dyn ShareMetadata>) -> Numbers {
        Numbers { share, metadata, ids: Mutex::new(0..0), stamps: Mutex::new(0..0) }
    }

    /// Ids for a node and an entry that a rule may make.
    pub(super) async fn fresh(&self) -> FsResult<Fresh> {
        let node = self.number(&self.ids, Counter::Ids).await?;
        let cookie = self.number(&self.ids, Counter::Ids).await?;
        Ok(Fresh { node: NodeId(node), cookie: Cookie(cookie), scale: *self.share.scale(), holder: None })
    }

    /// A stamp for the `change` of a node with unflushed writes: greater than every one before it.
    pub(super) async fn stamp(&self) -> FsResult<ChangeId> {
        Ok(ChangeId(self.number(&self.stamps, Counter::Stamps).await?))
    }

    async fn number(&self, pool: &Mutex<Range<u64>>, counter: Counter) -> FsResult<u64> {
        loop {
            if let Some(number) = pool.lock().next() {
                return Ok(number);
            }
            let block = self.metadata.allocate(counter, BLOCK).await;
            let block = block.map_err(|error| self.share.metadata_failed(&error))?;
            let mut pool = pool.lock();
            // Of two who found the pool empty, the later one's block wins only if it is the newer.
            if pool.is_empty() || pool.start < block.start {
                *pool = block;
            }
        }
    }
}
