//! Plans that somebody has asked for.

mod content;
mod growth;

use dittofs_domain::{
    OpId,
    content::map,
    error::{FsError, FsResult},
    opens::Requester,
    plan::{Applied, Plan, Query, View},
    quota,
};
use dittofs_ports::ApplyError;

use super::{ATTEMPTS_MAX, Named, OPTIMISTIC_ATTEMPTS, PlanGarbage, PlanOutcome, PlanRunner, Sent, released_objects};
use crate::volume::{node_locks::NodeLock, nodes::Seen};

/// The runner of plans for somebody who asks for them: by that it is known which leases of directories stay.
#[derive(Clone, Copy)]
pub(in crate::volume) struct PlansOf<'p> {
    pub(super) plans: &'p PlanRunner,
    /// None for the server itself.
    pub(super) by: Option<Requester>,
}

impl PlansOf<'_> {
    /// Reads, decides and applies, again where somebody else's change came between.
    ///
    /// # Errors
    /// The rule's refusal; `Busy` after too many conflicts, `NoSpace`, `Io`.
    pub(in crate::volume) async fn run<T: Send>(
        self,
        query: Query,
        decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        self.run_for(None, query, None, decide).await
    }

    /// The same for an operation that may have a name: it is done once. The view that the rule sees says whether it was
    /// done before, so that costs nothing. Nothing may have been refused before that is known.
    ///
    /// # Errors
    /// Those of [`PlansOf::run`], `Unanswered`.
    pub(in crate::volume) async fn run_named<T: Send>(
        self,
        query: Query,
        op: Option<OpId>,
        decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<Named<T>> {
        if op.is_none() {
            return self.run(query, decide).await.map(Named::Now);
        }
        let first = self.plans.ask_store(&query.clone().asking(op)).await?;
        if first.earlier.is_some() {
            return Ok(Named::Before(first));
        }
        self.run_from(Some(first), None, query, op, decide).await.map(Named::Now)
    }

    /// The same for a plan that may remove bytes of a node which are only in the journal: the node is uncertain from
    /// when the plan is sent, until it is known that it was not applied.
    pub(super) async fn run_for<T: Send>(
        self,
        removes_from: Option<&NodeLock<'_>>,
        query: Query,
        op: Option<OpId>,
        decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        self.run_from(None, removes_from, query, op, decide).await
    }

    /// The same, beginning with what was seen already, if it was. That an operation with a name was not done before is
    /// known.
    async fn run_from<T: Send>(
        self,
        mut first: Option<Seen>,
        removes_from: Option<&NodeLock<'_>>,
        mut query: Query,
        op: Option<OpId>,
        mut decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        let plans = self.plans;
        for attempt in 1..=ATTEMPTS_MAX {
            query.lock = attempt > OPTIMISTIC_ATTEMPTS;
            let seen = match first.take() {
                Some(seen) => seen,
                None => plans.nodes.view(&query).await?,
            };
            let (mut plan, value) = decide(&seen)?;
            if plan.changes.is_empty() {
                return Ok(PlanOutcome { value, seen, applied: Applied::default() });
            }
            plans.nodes.raise_shown(&mut plan);
            let accessed = plans.nodes.add_access_times(&mut plan);
            let garbage =
                PlanGarbage { released: released_objects(&plan), dead: map::lost(&seen.map.rows, &plan.changes) };
            let sent = Sent::new(plans, garbage, removes_from, plans.watches.planned(&plan, self.by));
            let touches = plan.touches();
            let counting = plans.ledger.begin(quota::counted(&plan.changes));
            let applied = match plans.metadata.apply(plan, op).await {
                Ok(applied) => applied,
                Err(ApplyError::Conflict) => {
                    sent.was_not_applied();
                    plans.must_not_be_done(op).await?;
                    plans.share.jitter(attempt).await;
                    continue;
                }
                Err(error) => match (&error, op) {
                    (ApplyError::Unknown(_), Some(op)) => match plans.find_out(op, touches, &error).await? {
                        Some(applied) => applied,
                        None => {
                            sent.was_not_applied();
                            continue;
                        }
                    },
                    _ => {
                        if !matches!(error, ApplyError::Unknown(_) | ApplyError::Corrupt(_)) {
                            sent.was_not_applied();
                        }
                        return Err(plans.share.apply_failed(&error));
                    }
                },
            };
            let (PlanGarbage { released, dead }, telling) = sent.was_applied();
            counting.applied();
            plans.nodes.forget_access_times(&accessed);
            plans.garbage.note_dead(dead);
            plans.after(&applied, released, telling).await;
            return Ok(PlanOutcome { value, seen, applied });
        }
        Err(FsError::Busy)
    }
}
