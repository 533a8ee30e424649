//! One plan that puts something else in the place of a range, and notes what it cuts out of bytes that are only in the
//! journal: for punches and clones.

use dittofs_domain::{
    ContentVersion, NodeId,
    content::map::{self, Piece, Replaced, Truncation},
    error::{FsError, FsResult},
    namespace::{ContentEdit, Context, edit_content},
    opens::ShareAccess,
    plan::{Expectation, NodeUpdate, Plan, Query},
};
use dittofs_ports::{Caller, Changed, WeakAttributes};

use super::{
    Volume,
    opens::{Admitted, writable},
    weak,
};
use crate::keyed::KeyGuard;

/// How far a plan got.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Everything up to here is done.
    Done(u64),
    /// Up to here the bytes must be written instead.
    Crowded(u64),
}

/// What is replaced, and for whom.
pub(super) struct Replacing<'a> {
    pub(super) turn: &'a KeyGuard<'a, NodeId>,
    pub(super) caller: &'a Caller,
    pub(super) access: ShareAccess,
    /// Where the range starts of which everything up to the pieces is done.
    pub(super) start: u64,
    /// The file that the pieces are of: it must not have been cut since.
    pub(super) source: Option<(NodeId, ContentVersion)>,
}

impl<'a> Replacing<'a> {
    pub(super) fn by(caller: &'a Caller, admitted: &'a Admitted<'_>, start: u64) -> Replacing<'a> {
        Replacing { turn: &admitted.turn, caller, access: admitted.access, start, source: None }
    }
}

impl Volume {
    /// What a node is, in its turn: its size, and what tells a client whether its cache is good.
    pub(super) async fn shown_to_writer(
        &self,
        caller: &Caller,
        admitted: &Admitted<'_>,
    ) -> FsResult<(u64, WeakAttributes)> {
        let view = self.view(&Query::node(admitted.turn.key())).await?;
        let stored = self.live(&view, admitted.turn.key())?;
        writable(stored, caller, admitted.access)?;
        let shown = self.overlay_in_turn(&admitted.turn, stored);
        Ok((shown.size, weak(&shown)))
    }

    /// The node as it is now, in its turn.
    pub(super) async fn changed_since(&self, turn: &KeyGuard<'_, NodeId>, before: WeakAttributes) -> FsResult<Changed> {
        let view = self.view(&Query::node(turn.key())).await?;
        let after = self.overlay_in_turn(turn, self.live(&view, turn.key())?);
        Ok(Changed { before: Some(before), after })
    }

    /// Stores the size that unflushed writes have given a node, once they are durable: after that the slices which gave
    /// it that size may be cut. Nothing changes for a client. Answers the size.
    pub(super) async fn store_size(&self, turn: &KeyGuard<'_, NodeId>) -> FsResult<u64> {
        let node = turn.key();
        let view = self.view(&Query::node(node)).await?;
        let stored = self.live(&view, node)?;
        let grows = |size: u64| size > stored.size;
        if self.pending.snapshot(node).is_none_or(|pending| !grows(pending.size)) {
            return Ok(stored.size);
        }
        if let Some(newest) = self.pending.find(node).and_then(|pending| pending.lock().newest()) {
            self.sync_journal(newest).await?;
        }
        // A failed sync may have taken some of them away.
        let size = self.pending.snapshot(node).map_or(stored.size, |pending| pending.size);
        if !grows(size) {
            return Ok(stored.size);
        }
        let query = Query { map: Some(map::truncate_query(&self.facts(stored), size)), ..Query::node(node) };
        let unstable = self.pending.unstable(node);
        let settled = self.settle(query, None, |view| {
            let stored = self.live(view, node)?;
            let mut plan = Plan::at(self.now());
            if size <= stored.size {
                return Ok((plan, ()));
            }
            let edit = match map::truncate(&view.map, &self.facts(stored), size) {
                Ok(Truncation::Edit(edit)) => edit,
                Ok(Truncation::ReapFirst) => return Err(FsError::Busy),
                Err(error) => return Err(self.map_failed(node, &error)),
            };
            plan.expect(Expectation::Exists(node));
            plan.expect(Expectation::ContentVersion { node, version: stored.content_version });
            edit.add_to(&mut plan, node, NodeUpdate::default());
            Ok((plan, ()))
        });
        let settled = settled.await;
        drop(unstable);
        settled.map(|_| size)
    }

    /// Puts pieces in the place of what is there, as far as one plan may; then the index forgets the same bytes.
    pub(super) async fn replace_some(&self, replacing: &Replacing<'_>, pieces: &[Piece]) -> FsResult<Step> {
        let Replacing { turn, caller, access, start, source } = *replacing;
        let node = turn.key();
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Err(FsError::Invalid) };
        let view = self.view(&Query::node(node)).await?;
        let facts = self.facts(self.live(&view, node)?);
        let query = map::replace_query(&facts, &(first.offset..last.end()));
        let query = Query { map: Some(query), ..Query::node(node) };
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let before = self.pending.snapshot(node);
        let unstable = self.pending.unstable(node);
        let settled = self.settle(query, None, |view| {
            let stored = self.live(view, node)?;
            writable(stored, caller, access)?;
            let replaced = map::replace(&view.map, &self.facts(stored), pieces);
            let (edit, end) = match replaced.map_err(|error| self.map_failed(node, &error))? {
                Replaced::Edit { edit, end } => (edit, end),
                Replaced::Crowded { end } => return Ok((Plan::default(), (Step::Crowded(end), 0))),
            };
            let size = edit.size.unwrap_or(stored.size);
            let noted = self.pending.noted_replaced(stored, start..end);
            let edit = ContentEdit { edit, noted };
            let mut decided = edit_content::decide(view, node, before.as_ref(), &context, self.epoch, edit)?;
            if let Some((source, version)) = source {
                decided.plan.expect(Expectation::Exists(source));
                decided.plan.expect(Expectation::ContentVersion { node: source, version });
            }
            Ok((decided.plan, (Step::Done(end), size)))
        });
        match settled.await {
            Ok(settled) => {
                let (step, size) = settled.value;
                let released = match step {
                    Step::Done(end) => self.pending.replaced(node, start..end, size),
                    Step::Crowded(_) => Vec::new(),
                };
                drop(unstable);
                self.release(released).await;
                Ok(step)
            }
            Err(error) => {
                self.fit_pending(node).await;
                Err(error)
            }
        }
    }
}
