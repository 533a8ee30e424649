//! Access times that are written: daily, where there are many, and at the end.

use dittofs_domain::{
    error::FsResult,
    plan::{Change, Expectation, NodeUpdate, Plan, Query},
};

use crate::volume::{flusher::Flusher, share::is_of_file};

/// Nodes of one plan. Plans this size are one transaction without keeping others waiting.
const NODES_PER_PLAN: usize = 256;

impl Flusher {
    /// Writes access times where a day has passed or there are many.
    pub(super) async fn write_old_access_times(&self) -> FsResult<()> {
        if self.nodes.are_access_times_due() { self.write_access_times().await } else { Ok(()) }
    }

    /// Writes all access times, many in a plan.
    pub(in crate::volume) async fn write_access_times(&self) -> FsResult<()> {
        for nodes in self.nodes.accessed_nodes().chunks(NODES_PER_PLAN) {
            let query = Query { nodes: nodes.iter().copied().collect(), ..Query::default() };
            let outcome = self.plans.run(query, |view| {
                let mut plan = Plan::at(self.share.now());
                for node in &view.nodes {
                    plan.require(Expectation::Exists(node.id));
                    plan.change(Change::UpdateNode(node.id, NodeUpdate::default()));
                }
                Ok((plan, ()))
            });
            let outcome = match outcome.await {
                // One of them is damaged: an access time is not worth looking for it.
                Err(error) if is_of_file(error) => {
                    nodes.iter().for_each(|node| self.nodes.forget_access_time(*node));
                    continue;
                }
                outcome => outcome?,
            };
            // Of the others nothing is left.
            for node in nodes.iter().filter(|node| outcome.seen.node(**node).is_err()) {
                self.nodes.forget_access_time(*node);
            }
        }
        Ok(())
    }
}
