//! Decide purely, apply atomically: the one way in which metadata change.

mod callers;
mod content;
mod growth;
mod pending_truncation;
mod repeated;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dittofs_domain::{
    ObjectId,
    error::FsResult,
    node::NodeFlags,
    plan::{Applied, Change, ObjectRecord, Plan, Query, Reference, View},
};
use dittofs_ports::{Caller, ContentStore, ShareMetadata};
use parking_lot::Mutex;

use crate::volume::{
    garbage::Garbage,
    ledger::Ledger,
    node_locks::NodeLock,
    nodes::{Nodes, Seen},
    open_table::OpenTable,
    share::Share,
    watches::{Telling, Watches},
    write_back::WriteBack,
};
pub(super) use callers::PlansOf;
pub(super) use content::ContentQuery;
pub(super) use growth::count_names;

/// After so many conflicts the rows that are read are locked. One conflict is common in a busy directory, three in a
/// row are a crowd.
const OPTIMISTIC_ATTEMPTS: u32 = 3;
/// After so many the client must come again. With locked rows only what comes from outside of this server is in
/// the way; a client must not wait for that for ever.
const ATTEMPTS_MAX: u32 = 8;

/// The outcome of a run of a plan: it was applied, or found not to be needed.
#[derive(Debug)]
pub(super) struct PlanOutcome<T> {
    /// The value that the rule returned beside its plan.
    pub(super) value: T,
    /// The view that the rule saw.
    pub(super) seen: Seen,
    /// The result of the plan; nothing if it had no changes.
    pub(super) applied: Applied,
}

/// The outcome of a named operation.
#[derive(Debug)]
pub(super) enum Named<T> {
    /// It was carried out before, as the call was sent again: what its query finds now.
    Before(Seen),
    /// It was run.
    Now(PlanOutcome<T>),
}

/// Reads what a rule needs, has it decide, and applies its plan: the one place where the metadata of a share change.
pub(super) struct PlanRunner {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    write_back: Arc<WriteBack>,
    opens: Arc<OpenTable>,
    watches: Arc<Watches>,
    garbage: Arc<Garbage>,
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<dyn ContentStore>,
    ledger: Ledger,
    /// When the metadata store was last asked for the sums, on the monotonic clock.
    counted_at: Mutex<Duration>,
}

impl PlanRunner {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        write_back: Arc<WriteBack>,
        (opens, watches): (Arc<OpenTable>, Arc<Watches>),
        garbage: Arc<Garbage>,
        (metadata, content): (Arc<dyn ShareMetadata>, Arc<dyn ContentStore>),
        ledger: Ledger,
    ) -> PlanRunner {
        let counted_at = Mutex::default();
        PlanRunner { share, nodes, write_back, opens, watches, garbage, metadata, content, ledger, counted_at }
    }

    /// Returns the ledger of what the share holds and may hold.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns those who watch directories of the share.
    pub(crate) fn watches(&self) -> &Watches {
        &self.watches
    }

    /// The same runner, for a caller.
    pub(super) fn of(&self, caller: &Caller) -> PlansOf<'_> {
        PlansOf { plans: self, by: Some(caller.changes_entries_as()) }
    }

    /// The same runner, for what the server does by itself: clients see no change of that.
    fn of_server(&self) -> PlansOf<'_> {
        PlansOf { plans: self, by: None }
    }

    /// [`PlansOf::run`] for what the server does by itself.
    ///
    /// # Errors
    /// Those of [`PlansOf::run`].
    pub(super) async fn run<T: Send>(
        &self,
        query: Query,
        decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        self.of_server().run(query, decide).await
    }

    /// The same for a plan that rests on a node's lock: it requires the node's lease.
    pub(super) async fn run_under<T: Send>(
        &self,
        lock: &NodeLock<'_>,
        query: Query,
        decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        self.of_server().run_for(None, query, None, leased(lock, decide)).await
    }

    /// Stores an object's row, which no rule decides.
    pub(super) async fn put_object_row(&self, record: ObjectRecord) -> FsResult<()> {
        let mut plan = Plan::at(self.share.now());
        plan.change(Change::PutObject(record));
        self.metadata.apply(plan, None).await.map_err(|error| self.share.apply_failed(&error))?;
        Ok(())
    }

    /// Wakes the reaper where a plan left something for it, forgets what is gone, and tells watchers.
    async fn after(&self, applied: &Applied, released: Vec<ObjectId>, telling: Option<Telling<'_>>) {
        let mut wake = !released.is_empty();
        self.garbage.released(released);
        for touched in &applied.nodes {
            match &touched.after {
                None => {
                    self.write_back.discard_pending(touched.id).await;
                    self.nodes.forget_access_time(touched.id);
                    self.opens.forget(touched.id).await;
                }
                Some(after) => wake |= after.flags.contains(NodeFlags::UNLINKED) || after.pending_truncation.is_some(),
            }
        }
        if wake {
            self.ledger.leave();
            self.garbage.wake();
        }
        if let Some(telling) = telling {
            telling.tell(applied).await;
        }
    }
}

/// Has every plan that a rule decides require the lease under which a node is locked.
fn leased<T>(
    lock: &NodeLock<'_>,
    mut decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
) -> impl FnMut(&View) -> FsResult<(Plan, T)> + Send {
    let (node, lease) = (lock.node(), lock.lease());
    move |view| {
        let (mut plan, value) = decide(view)?;
        if !plan.changes.is_empty() {
            plan.require_lease(node, lease);
        }
        Ok((plan, value))
    }
}

/// The garbage of a plan, for the collector.
#[derive(Debug, Default)]
struct PlanGarbage {
    released: Vec<ObjectId>,
    /// Bytes of objects that nothing refers to any more.
    dead: BTreeMap<ObjectId, u64>,
}

/// A plan that the metadata store was given. Where its end is not known, or nobody waits for it any more, it may have
/// been applied: the collector looks, a node that it removes bytes of stays uncertain, and watchers list anew.
struct Sent<'p> {
    runner: &'p PlanRunner,
    garbage: Option<PlanGarbage>,
    removes_from: Option<&'p NodeLock<'p>>,
    /// The changes that others are told of once it was applied.
    telling: Option<Telling<'p>>,
}

impl<'p> Sent<'p> {
    fn new(
        runner: &'p PlanRunner,
        garbage: PlanGarbage,
        removes_from: Option<&'p NodeLock<'p>>,
        telling: Telling<'p>,
    ) -> Sent<'p> {
        if let Some(lock) = removes_from {
            runner.nodes.pending().set_uncertain(lock, true);
        }
        Sent { runner, garbage: Some(garbage), removes_from, telling: Some(telling) }
    }

    /// A node that it removes bytes of is uncertain until its index has forgotten them.
    fn was_applied(mut self) -> (PlanGarbage, Option<Telling<'p>>) {
        (self.garbage.take().unwrap_or_default(), self.telling.take())
    }

    fn was_not_applied(mut self) {
        self.garbage = None;
        if let Some(telling) = self.telling.take() {
            telling.was_not_applied();
        }
        if let Some(lock) = self.removes_from {
            self.runner.nodes.pending().set_uncertain(lock, false);
        }
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if let Some(PlanGarbage { released, dead }) = self.garbage.take() {
            self.runner.garbage.released(released);
            self.runner.garbage.note_dead(dead);
            self.runner.ledger.leave();
            self.runner.garbage.wake();
        }
    }
}

/// Objects that lose a reference by a plan: garbage, if it was the last one.
fn released_objects(plan: &Plan) -> Vec<ObjectId> {
    let object = |change: &Change| match change {
        Change::DeleteReference(Reference { object, .. }) => Some(*object),
        _ => None,
    };
    plan.changes.iter().filter_map(object).collect()
}

#[cfg(test)]
mod tests;
