//! Finds the files whose maps have bytes themselves that an earlier start of the server has committed.

use std::{future::pending, time::Duration};

use dittofs_domain::{NodeId, error::FsError, node::NodeFlags};

use crate::volume::{
    reclaimer::{BACK_OFF, Reclaimer},
    scan::nodes_after,
};

/// Nodes that are read at a time, and how long it waits in between: ten million are through within three hours, at a
/// cost that nobody notices. Those that were committed last have the greatest ids, but for old files that were written
/// again.
const NODES_PER_PAGE: usize = 1_024;
const PAUSE: Duration = Duration::from_secs(1);

impl Reclaimer {
    /// Goes through all nodes once.
    pub(in crate::volume) async fn take_leftovers(&self) {
        let mut after = NodeId(0);
        while !self.share.is_closing() {
            let Ok(page) = nodes_after(&*self.metadata, after, NODES_PER_PAGE).await else {
                self.share.wait(BACK_OFF, pending()).await;
                continue;
            };
            for node in page.nodes.iter().filter(|node| node.flags.contains(NodeFlags::INLINE)) {
                self.take_leftover(node.id).await;
            }
            let Some(next) = page.next() else { return };
            after = next;
            self.share.wait(PAUSE, pending()).await;
        }
    }

    /// Tries until it is done, or the file is damaged.
    async fn take_leftover(&self, node: NodeId) {
        while !self.share.is_closing() {
            match self.flusher.take_leftover(node).await {
                Err(FsError::Busy | FsError::NoSpace) => self.share.wait(BACK_OFF, pending()).await,
                _ => return,
            }
        }
    }
}
