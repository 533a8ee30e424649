//! Removing what nobody reaches any more, in bounded plans.

use dittofs_domain::{
    NodeId,
    content::map::{self, ReapCursor},
    error::FsResult,
    node::NodeFlags,
    plan::{Change, Expectation, NodeUpdate, Plan, Query, UnlinkedReason},
    quota,
};

use super::Volume;
use crate::keyed::KeyGuard;

/// Nodes that one round looks at, at a time.
const NODES_PER_PAGE: usize = 256;

/// Steps of reaping a clip that one call does before its client is told to come again: some 500,000 rows.
const CLIP_STEPS_MAX: u32 = 512;

impl Volume {
    /// Finishes every truncation and removal that is pending.
    pub(super) async fn reap(&self) -> FsResult<()> {
        let mut after = NodeId(0);
        loop {
            let page = self.stores.metadata.unlinked(after, NODES_PER_PAGE).await;
            let page = page.map_err(|error| self.metadata_failed(&error))?;
            for (node, _) in &page {
                self.skip_damaged(*node, self.reap_node(*node).await).await?;
            }
            match page.last() {
                Some((last, _)) if page.len() == NODES_PER_PAGE => after = *last,
                _ => break,
            }
        }
        let mut after = NodeId(0);
        loop {
            let page = self.stores.metadata.clipped(after, NODES_PER_PAGE).await;
            let page = page.map_err(|error| self.metadata_failed(&error))?;
            for node in &page {
                self.skip_damaged(*node, self.reap_clip(*node).await).await?;
            }
            match page.last() {
                Some(last) if page.len() == NODES_PER_PAGE => after = *last,
                _ => return Ok(()),
            }
        }
    }

    /// A file that is damaged is left alone: the others are no worse for it.
    async fn skip_damaged(&self, node: NodeId, result: FsResult<()>) -> FsResult<()> {
        match result {
            Err(error) if Volume::is_of_file(error) => {
                self.tell_unreadable(node).await;
                Ok(())
            }
            result => result,
        }
    }

    /// Removes a node without a name, unless somebody has it open.
    async fn reap_node(&self, node: NodeId) -> FsResult<()> {
        loop {
            let _turn = self.turns.lock(node).await;
            if self.is_kept_open(node).await? {
                return Ok(());
            }
            self.discard_pending(node).await;
            let query = Query { map: Some(map::reap_node_query(node, self.scale())), ..Query::node(node) };
            let done = self
                .settle(query, None, |view| {
                    let Ok(stored) = view.node(node) else { return Ok((Plan::default(), true)) };
                    if !stored.flags.contains(NodeFlags::UNLINKED) {
                        return Ok((Plan::default(), true));
                    }
                    let step =
                        map::reap_node(&view.map, node, self.scale()).map_err(|error| self.map_failed(node, &error))?;
                    let mut plan = Plan::at(self.now());
                    plan.expect(Expectation::Exists(node));
                    if step.done {
                        plan.changes.extend(step.edit.changes);
                        plan.change(Change::DeleteUnlinked(node)).change(Change::DeleteNode(node));
                        plan.change(quota::node_goes(stored));
                    } else {
                        plan.change(Change::PutUnlinked { node, reason: UnlinkedReason::Reaping });
                        step.edit.add_to(&mut plan, node, NodeUpdate::default());
                    }
                    Ok((plan, step.done))
                })
                .await?
                .value;
            if done {
                return Ok(());
            }
        }
    }

    /// Finishes a truncation that left rows behind.
    async fn reap_clip(&self, node: NodeId) -> FsResult<()> {
        let mut cursor = None;
        loop {
            let _turn = self.turns.lock(node).await;
            cursor = self.reap_clip_from(node, cursor).await?;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// The same for who has the node's turn already and must not wait for the reaper. Not always to the end: what is
    /// left is the reaper's.
    pub(super) async fn reap_clip_in_turn(&self, turn: &KeyGuard<'_, NodeId>) -> FsResult<()> {
        let mut cursor = None;
        for _ in 0..CLIP_STEPS_MAX {
            cursor = self.reap_clip_from(turn.key(), cursor).await?;
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn reap_clip_from(&self, node: NodeId, cursor: Option<ReapCursor>) -> FsResult<Option<ReapCursor>> {
        let view = self.view(&Query::node(node)).await?;
        let Ok(stored) = view.node(node) else { return Ok(None) };
        let Some(query) = map::reap_clip_query(&self.facts(stored), cursor) else { return Ok(None) };
        let query = Query { map: Some(query), ..Query::node(node) };
        let settled = self
            .settle(query, None, |view| {
                let stored = view.node(node)?;
                let step = map::reap_clip(&view.map, &self.facts(stored), cursor);
                let step = step.map_err(|error| self.map_failed(node, &error))?;
                let mut plan = Plan::at(self.now());
                plan.expect(Expectation::ContentVersion { node, version: stored.content_version });
                if !step.edit.is_empty() {
                    step.edit.add_to(&mut plan, node, NodeUpdate::default());
                }
                Ok((plan, step.next))
            })
            .await?;
        Ok(settled.value)
    }
}
