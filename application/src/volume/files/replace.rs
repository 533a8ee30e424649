//! One plan that replaces a range, and excludes what it removes from a replay of the journal: for punches and clones.

use dittofs_domain::{
    ContentVersion, NodeId,
    attributes::Pending,
    content::map::{self, Piece, Replaced, Truncation},
    error::{FsError, FsResult},
    namespace::{ContentEdit, Context, edit_content},
    opens::ShareAccess,
    plan::{Expectation, NodeUpdate, Plan, Query, View},
};
use dittofs_ports::{Caller, WeakAttributes};

use crate::volume::{
    files::Files,
    node_locks::NodeLock,
    nodes::weak,
    open_table::{Admitted, writable},
    plans::ContentQuery,
};

/// How far a plan got.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Everything up to here is done.
    Done(u64),
    /// Up to here the bytes must be written instead.
    Crowded(u64),
}

/// A range that is replaced, and its caller.
pub(super) struct Replacing<'a> {
    pub(super) lock: &'a NodeLock<'a>,
    pub(super) caller: &'a Caller,
    pub(super) access: ShareAccess,
    /// Where the range starts of which everything up to the pieces is done.
    pub(super) start: u64,
    /// The file that the pieces are of: it must not have been truncated since.
    pub(super) source: Option<(NodeId, ContentVersion)>,
}

impl<'a> Replacing<'a> {
    pub(super) fn by(caller: &'a Caller, admitted: &'a Admitted<'_>, start: u64) -> Replacing<'a> {
        Replacing { lock: &admitted.lock, caller, access: admitted.access, start, source: None }
    }
}

impl Files {
    /// Returns a node's size, and the attributes that tell a client whether its cache is good. The node is locked.
    pub(super) async fn shown_to_writer(
        &self,
        caller: &Caller,
        admitted: &Admitted<'_>,
    ) -> FsResult<(u64, WeakAttributes)> {
        let view = self.nodes.view(&Query::node(admitted.lock.node())).await?;
        let stored = self.nodes.live(&view, admitted.lock.node())?;
        writable(stored, caller, admitted.access)?;
        let shown = self.nodes.overlay_locked(&admitted.lock, stored);
        Ok((shown.size, weak(&shown)))
    }

    /// Stores the size that unflushed writes have given a node, once they are durable. After that the slices which gave
    /// it that size may be truncated. Nothing changes for a client. Returns the size.
    pub(super) async fn store_size(&self, lock: &NodeLock<'_>) -> FsResult<u64> {
        let node = lock.node();
        let view = self.nodes.view(&Query::node(node)).await?;
        let stored = self.nodes.live(&view, node)?;
        let grows = |size: u64| size > stored.size;
        if self.nodes.pending().snapshot(node).is_none_or(|pending| !grows(pending.size)) {
            return Ok(stored.size);
        }
        if let Some(newest) = self.nodes.pending().find(node).and_then(|pending| pending.lock().newest()) {
            self.write_back.sync_journal(newest).await?;
        }
        // A failed sync may have taken some of them away.
        let size = self.nodes.pending().snapshot(node).map_or(stored.size, |pending| pending.size);
        if !grows(size) {
            return Ok(stored.size);
        }
        let query = Query { map: Some(map::truncate_query(&self.share.facts(stored), size)), ..Query::node(node) };
        let decide = |view: &View, _: Option<&Pending>| {
            let stored = self.nodes.live(view, node)?;
            let mut plan = Plan::at(self.share.now());
            if size <= stored.size {
                return Ok((plan, ()));
            }
            let edit = match map::truncate(&view.map, &self.share.facts(stored), size) {
                Ok(Truncation::Edit(edit)) => edit,
                Ok(Truncation::ReapFirst) => return Err(FsError::Busy),
                Err(error) => return Err(self.share.map_failed(node, &error)),
            };
            plan.require(Expectation::Exists(node));
            plan.require(Expectation::ContentVersion { node, version: stored.content_version });
            edit.add_to(&mut plan, node, NodeUpdate::default());
            Ok((plan, ()))
        };
        let query = ContentQuery { query, op: None, removes: false };
        let outcome = self.plans.change_content(lock, query, decide, |_, ()| Vec::new()).await;
        outcome.map(|_| size)
    }

    /// Puts pieces in the place of what is there, as far as one plan may; then the index forgets the same bytes.
    pub(super) async fn replace_some(&self, replacing: &Replacing<'_>, pieces: &[Piece]) -> FsResult<Step> {
        let Replacing { lock, caller, access, start, source } = *replacing;
        let node = lock.node();
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return Err(FsError::Invalid) };
        let view = self.nodes.view(&Query::node(node)).await?;
        let facts = self.share.facts(self.nodes.live(&view, node)?);
        let query = map::replace_query(&facts, &(first.offset..last.end()));
        let query = Query { map: Some(query), ..Query::node(node) };
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let decide = |view: &View, before: Option<&Pending>| {
            let stored = self.nodes.live(view, node)?;
            writable(stored, caller, access)?;
            let replaced = map::replace(&view.map, &self.share.facts(stored), pieces);
            let (edit, end) = match replaced.map_err(|error| self.share.map_failed(node, &error))? {
                Replaced::Edit { edit, end } => (edit, end),
                Replaced::Crowded { end } => return Ok((Plan::default(), (Step::Crowded(end), 0))),
            };
            let size = edit.size.unwrap_or(stored.size);
            let replay = self.nodes.pending().replay_of_replaced(stored, start..end);
            let edit = ContentEdit { edit, replay };
            let mut decided = edit_content::decide(view, node, before, &context, self.share.epoch(), edit)?;
            if let Some((source, version)) = source {
                decided.plan.require(Expectation::Exists(source));
                decided.plan.require(Expectation::ContentVersion { node: source, version });
            }
            Ok((decided.plan, (Step::Done(end), size)))
        };
        let query = ContentQuery { query, op: None, removes: true };
        let outcome = self.plans.of(caller).change_content(lock, query, decide, |pending, (step, size)| match step {
            Step::Done(end) => pending.replaced(lock, start..*end, *size),
            Step::Crowded(_) => Vec::new(),
        });
        Ok(outcome.await?.value.0)
    }
}
