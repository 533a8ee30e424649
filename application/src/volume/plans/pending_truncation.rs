//! Finishing truncations that left rows behind.

use dittofs_domain::{
    content::map::{self, ReapCursor},
    error::FsResult,
    plan::{Expectation, NodeUpdate, Plan, Query},
};

use crate::volume::{node_locks::NodeLock, plans::PlanRunner};

/// Steps of reaping a pending truncation that one call does before its client must come again: some 500,000
/// rows.
const REAP_STEPS_MAX: u32 = 512;

impl PlanRunner {
    /// The same for who has the node's lock already and must not wait for the reaper. Not always to the end: what is
    /// left is the reaper's.
    pub(in crate::volume) async fn reap_truncation_locked(&self, lock: &NodeLock<'_>) -> FsResult<()> {
        let mut cursor = None;
        for _ in 0..REAP_STEPS_MAX {
            cursor = self.reap_truncation_from(lock, cursor).await?;
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    pub(in crate::volume) async fn reap_truncation_from(
        &self,
        lock: &NodeLock<'_>,
        cursor: Option<ReapCursor>,
    ) -> FsResult<Option<ReapCursor>> {
        let node = lock.node();
        let view = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = view.node(node) else { return Ok(None) };
        let Some(query) = map::reap_truncation_query(&self.share.facts(stored), cursor) else { return Ok(None) };
        let query = Query { map: Some(query), ..Query::node(node) };
        let outcome = self
            .run_under(lock, query, |view| {
                let stored = view.node(node)?;
                let step = map::reap_truncation(&view.map, &self.share.facts(stored), cursor);
                let step = step.map_err(|error| self.share.map_failed(node, &error))?;
                let mut plan = Plan::at(self.share.now());
                plan.require(Expectation::ContentVersion { node, version: stored.content_version });
                if !step.edit.is_empty() {
                    step.edit.add_to(&mut plan, node, NodeUpdate::default());
                }
                Ok((plan, step.next))
            })
            .await?;
        Ok(outcome.value)
    }
}
