//! All or nothing: each step of a plan notes how it is undone, and a plan that turns out to be impossible is.

use std::sync::Arc;

use dittofs_domain::{
    Node, NodeId, ShareId,
    plan::{Applied, Touched},
};
use smallvec::SmallVec;

use super::Batch;
use crate::{
    fault::Fault,
    keys::{Count, Key},
    tables::Kind,
};

/// How one step is undone.
pub(super) enum Undo {
    /// To what the node was.
    Node(NodeId, Option<Arc<Node>>),
    /// To what was in a table.
    Table(Kind, Key, Option<Vec<u8>>),
    /// To what the count was.
    Count(Count, i64),
}

/// Steps taken.
#[derive(Default)]
pub(super) struct Log {
    pub(super) steps: SmallVec<[Undo; 6]>,
    /// Nodes to which new entries lead.
    pub(super) led_to: SmallVec<[NodeId; 2]>,
}

impl Batch<'_> {
    pub(super) fn undo(&mut self, share: ShareId, log: Log) -> Result<(), Fault> {
        for step in log.steps.into_iter().rev() {
            match step {
                Undo::Node(id, before) => self.put_node(share, id, before)?,
                Undo::Table(kind, key, before) => {
                    self.tables.put(kind, &key, before.as_deref())?;
                }
                Undo::Count(what, before) => self.put_count(share, what, before),
            }
        }
        Ok(())
    }

    /// Each node touched, once, in the order of their ids.
    pub(super) fn applied(&mut self, share: ShareId, log: Log) -> Result<Applied, Fault> {
        let mut nodes: SmallVec<[Touched; 4]> = SmallVec::new();
        for step in log.steps {
            if let Undo::Node(id, before) = step {
                nodes.push(Touched { id, before, after: None });
            }
        }
        // A stable sort keeps the oldest state of each node first, and that is the one to keep.
        nodes.sort_by_key(|touched| touched.id);
        nodes.dedup_by_key(|touched| touched.id);
        for touched in &mut nodes {
            touched.after = self.node(share, touched.id)?;
        }
        Ok(Applied { nodes })
    }
}
