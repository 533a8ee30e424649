//! Setting a size: one plan, which also notes what it cuts out of bytes that are only in the journal.

use std::sync::atomic::Ordering;

use dittofs_domain::{
    NodeId, OpId,
    content::{
        CUTS_MAX,
        map::{self, MapError, Truncation},
    },
    error::{FsError, FsResult},
    namespace::{
        Context, SetAttributes,
        set_attributes::{self, Resize},
    },
    plan::{Plan, Query},
};
use dittofs_ports::{Caller, Changed};

use super::Volume;
use crate::keyed::KeyGuard;

/// How often an earlier truncation is finished before a new one is made. Once is enough, as nobody else cuts the file
/// in the meantime; unless a clip was too large to be finished at once.
const REAPS_MAX: u32 = 2;

impl Volume {
    /// Sets a size and whatever else the request says, in one plan, in the node's turn.
    pub(super) async fn resize(
        &self,
        turn: &KeyGuard<'_, NodeId>,
        caller: &Caller,
        request: &SetAttributes,
        size: u64,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        let node = turn.key();
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let view = self.view(&Query::node(node)).await?;
        let stored = self.live(&view, node)?;
        set_attributes::check(stored, request, self.pending.snapshot(node).as_ref(), &context)?;
        for _ in 0..REAPS_MAX {
            if let Some(changed) = self.try_resize(turn, request, size, &context, op).await? {
                return Ok(changed);
            }
            self.reap_clip_in_turn(turn).await?;
        }
        Err(FsError::Busy)
    }

    /// One attempt; none where an earlier truncation must be finished first.
    async fn try_resize(
        &self,
        turn: &KeyGuard<'_, NodeId>,
        request: &SetAttributes,
        size: u64,
        context: &Context<'_>,
        op: Option<OpId>,
    ) -> FsResult<Option<Changed>> {
        let node = turn.key();
        let view = self.view(&Query::node(node)).await?;
        let facts = self.facts(self.live(&view, node)?);
        let query = Query { map: Some(map::truncate_query(&facts, size)), ..Query::node(node) };
        let before = self.pending.snapshot(node);
        let unstable = self.pending.unstable(node);
        let settled = self
            .settle(query, op, |view| {
                let stored = self.live(view, node)?;
                let edit = match map::truncate(&view.map, &self.facts(stored), size) {
                    Ok(Truncation::Edit(edit)) => edit,
                    Ok(Truncation::ReapFirst) => return Ok((Plan::default(), true)),
                    Err(error) => return Err(self.map_failed(node, &error)),
                };
                let resize = Resize {
                    changes: edit.changes,
                    allocated: edit.allocated,
                    clip: edit.clip,
                    raises_content_version: edit.content_version.is_some(),
                    noted: self.pending.noted(stored, size),
                };
                let decision = set_attributes::decide(view, node, request, before.as_ref(), context, Some(resize))?;
                Ok((decision.plan, false))
            })
            .await;
        let settled = match settled {
            Ok(settled) => settled,
            Err(error) => {
                self.fit_pending(node).await;
                return Err(error);
            }
        };
        if settled.value {
            return Ok(None);
        }
        let released = self.pending.truncate(node, size);
        drop(unstable);
        self.release(released).await;
        let mut changed = self.changed_in_turn(turn, &settled)?;
        changed.before = settled
            .applied
            .node(node)
            .and_then(|touched| touched.before.as_ref())
            .map(|stored| super::weak(&dittofs_domain::attributes::overlay(stored, before.as_ref())));
        Ok(Some(changed))
    }

    /// After a plan of which nobody knows whether it was applied: what is only in the journal must fit what is stored.
    /// Under the node's turn, for as long as it takes: nobody may see or write the file before.
    pub(super) async fn fit_pending(&self, node: NodeId) {
        for attempt in 1.. {
            if self.closing.load(Ordering::Acquire) {
                return;
            }
            if let Ok(view) = self.view(&Query::node(node)).await {
                let records = view.node(node).map(|stored| self.pending.fit(stored)).unwrap_or_default();
                return self.release(records).await;
            }
            self.jitter(attempt).await;
        }
    }

    /// Flushes a file that has been cut too often since its last flush: each cut is noted in its record. Called before
    /// the node's turn is taken.
    pub(super) async fn limit_cuts(&self, node: NodeId) -> FsResult<()> {
        if !self.pending.has(node) {
            return Ok(());
        }
        let view = self.view(&Query::node(node)).await?;
        if self.live(&view, node)?.cuts.len() < CUTS_MAX {
            return Ok(());
        }
        self.flush(vec![node]).await
    }

    /// Logs that a file's map is damaged.
    pub(super) fn map_failed(&self, node: NodeId, error: &MapError) -> FsError {
        tracing::error!(share = %self.name, %node, %error, "the map of a file is damaged");
        FsError::Io
    }
}
