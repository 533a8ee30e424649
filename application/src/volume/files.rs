//! The content of files: reading, writing, truncating, punching and cloning it.

mod clone;
mod crowded;
mod punch;
mod read;
mod replace;
mod resize;
mod seek;
mod write;

use std::sync::Arc;

use crate::volume::{
    blocks::BlockReader,
    flusher::{Commits, Flusher},
    garbage::Garbage,
    node_locks::NodeLocks,
    nodes::Nodes,
    open_table::OpenTable,
    plans::PlanRunner,
    share::Share,
    write_back::WriteBack,
};

/// The files of a share.
pub(crate) struct Files {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    locks: Arc<NodeLocks>,
    opens: Arc<OpenTable>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    blocks: Arc<BlockReader>,
    flusher: Arc<Flusher>,
    commits: Arc<Commits>,
    garbage: Arc<Garbage>,
}

impl Files {
    pub(super) fn new(
        (share, nodes, locks): (Arc<Share>, Arc<Nodes>, Arc<NodeLocks>),
        opens: Arc<OpenTable>,
        (write_back, plans): (Arc<WriteBack>, Arc<PlanRunner>),
        (blocks, flusher, commits): (Arc<BlockReader>, Arc<Flusher>, Arc<Commits>),
        garbage: Arc<Garbage>,
    ) -> Files {
        Files { share, nodes, locks, opens, write_back, plans, blocks, flusher, commits, garbage }
    }
}
