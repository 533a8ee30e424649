//! Setting a size: one plan, which also excludes what it removes from a replay of the journal.

use dittofs_domain::{
    NodeId, OpId, attributes,
    content::{
        REPLAY_EXCLUSIONS_MAX,
        map::{self, Truncation},
    },
    error::{FsError, FsResult},
    namespace::{
        Context, SetAttributes,
        set_attributes::{self, Resize},
    },
    plan::{Plan, Query},
};
use dittofs_ports::{Caller, Changed};

use crate::volume::{files::Files, node_locks::NodeLock, nodes::weak, plans::ContentQuery};

/// How often an earlier truncation is finished before a new one is made. Once is enough, as nobody else truncates the
/// file in the meantime; unless a pending truncation was too large to be finished at once.
const REAPS_MAX: u32 = 2;

/// The outcome of an attempt to truncate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Done,
    /// An earlier one must be finished first.
    ReapFirst,
}

impl Files {
    /// Sets a size and whatever else the request says, in one plan, under the node's lock.
    pub(in crate::volume) async fn resize(
        &self,
        lock: &NodeLock<'_>,
        caller: &Caller,
        request: &SetAttributes,
        size: u64,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        let node = lock.node();
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let view = self.nodes.view(&Query::node(node)).await?;
        let stored = self.nodes.live(&view, node)?;
        set_attributes::check(stored, request, self.nodes.pending().snapshot(node).as_ref(), &context)?;
        for _ in 0..REAPS_MAX {
            if let Some(changed) = self.try_resize(lock, (request, size), (caller, &context), op).await? {
                return Ok(changed);
            }
            self.plans.reap_truncation_locked(lock).await?;
        }
        Err(FsError::Busy)
    }

    /// One attempt; none where an earlier truncation must be finished first.
    async fn try_resize(
        &self,
        lock: &NodeLock<'_>,
        (request, size): (&SetAttributes, u64),
        (caller, context): (&Caller, &Context<'_>),
        op: Option<OpId>,
    ) -> FsResult<Option<Changed>> {
        let node = lock.node();
        let view = self.nodes.view(&Query::node(node)).await?;
        let facts = self.share.facts(self.nodes.live(&view, node)?);
        let query = Query { map: Some(map::truncate_query(&facts, size)), ..Query::node(node) };
        let before = self.nodes.pending().snapshot(node);
        let outcome = self
            .plans
            .of(caller)
            .change_content(
                lock,
                ContentQuery { query, op, removes: true },
                |view, before| {
                    let stored = self.nodes.live(view, node)?;
                    let edit = match map::truncate(&view.map, &self.share.facts(stored), size) {
                        Ok(Truncation::Edit(edit)) => edit,
                        Ok(Truncation::ReapFirst) => return Ok((Plan::default(), Attempt::ReapFirst)),
                        Err(error) => return Err(self.share.map_failed(node, &error)),
                    };
                    let resize = Resize {
                        changes: edit.changes,
                        allocated: edit.allocated,
                        pending_truncation: edit.pending_truncation,
                        raises_content_version: edit.content_version.is_some(),
                        replay: self.nodes.pending().replay_of_truncated(stored, size),
                    };
                    let decision = set_attributes::decide(view, node, request, before, context, Some(resize))?;
                    Ok((decision.plan, Attempt::Done))
                },
                |pending, attempt| match attempt {
                    Attempt::Done => pending.truncate(lock, size),
                    Attempt::ReapFirst => Vec::new(),
                },
            )
            .await?;
        if outcome.value == Attempt::ReapFirst {
            return Ok(None);
        }
        let mut changed = self.nodes.changed_locked(lock, &outcome.seen, &outcome.applied)?;
        changed.before = outcome
            .applied
            .node(node)
            .and_then(|touched| touched.before.as_ref())
            .map(|stored| weak(&attributes::overlay(stored, before.as_ref())));
        Ok(Some(changed))
    }

    /// Flushes a file that has too many replay exclusions since its last flush: they are in its record. Called before
    /// the node's lock is taken.
    pub(in crate::volume) async fn limit_replay_exclusions(&self, node: NodeId) -> FsResult<()> {
        if !self.nodes.pending().has(node) {
            return Ok(());
        }
        let view = self.nodes.view(&Query::node(node)).await?;
        if self.nodes.live(&view, node)?.replay_exclusions.len() < REPLAY_EXCLUSIONS_MAX {
            return Ok(());
        }
        self.flusher.flush(vec![node]).await
    }
}
