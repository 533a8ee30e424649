//! Decide purely, apply atomically: the one way in which metadata change.

use std::time::Duration;

use dittofs_domain::{
    NodeId, ObjectId, OpId,
    content::map,
    error::{FsError, FsResult},
    namespace::raise_above_shown,
    node::NodeFlags,
    plan::{Applied, Change, Plan, Query, TimeChange, View},
    quota,
};
use dittofs_ports::{Appended, ApplyError};
use smallvec::SmallVec;

use super::{Volume, overlay::Seen};

/// After so many conflicts the rows that are read are locked.
const OPTIMISTIC_ATTEMPTS: u32 = 3;
/// After so many the client is told to come again.
const ATTEMPTS_MAX: u32 = 8;

/// A change that was applied, or found not to be needed.
#[derive(Debug)]
pub(super) struct Settled<T> {
    /// What the rule said beside its plan.
    pub(super) value: T,
    /// What the rule saw.
    pub(super) seen: Seen,
    /// What became of it; nothing if the plan had no changes.
    pub(super) applied: Applied,
}

impl Volume {
    /// Reads, decides and applies, again where somebody else's change came between. An operation with a name is done
    /// once: whoever names one has asked before whether it was done ([`Volume::earlier`]).
    ///
    /// # Errors
    /// The rule's refusal; `Busy` after too many conflicts, `NoSpace`, `Io`, `Unanswered`.
    pub(super) async fn settle<T: Send>(
        &self,
        query: Query,
        op: Option<OpId>,
        mut decide: impl FnMut(&View) -> FsResult<(Plan, T)> + Send,
    ) -> FsResult<Settled<T>> {
        let mut query = query;
        for attempt in 1..=ATTEMPTS_MAX {
            query.lock = attempt > OPTIMISTIC_ATTEMPTS;
            let seen = self.view(&query).await?;
            let (mut plan, value) = decide(&seen)?;
            if plan.changes.is_empty() {
                return Ok(Settled { value, seen, applied: Applied::default() });
            }
            self.raise_shown(&mut plan);
            let accessed = self.add_access_times(&mut plan);
            let released = released_objects(&plan);
            let dead = map::lost(&seen.map.rows, &plan.changes);
            let touches = plan.touches();
            let counting = self.ledger.begin(quota::counted(&plan.changes));
            let applied = match self.stores.metadata.apply(plan, op).await {
                Ok(applied) => applied,
                Err(ApplyError::Conflict) => {
                    self.must_not_be_done(op).await?;
                    self.jitter(attempt).await;
                    continue;
                }
                Err(error) => {
                    // It may have been applied nevertheless.
                    self.suspects.lock().extend(released.iter().copied());
                    self.reaping.notify_one();
                    match (&error, op) {
                        (ApplyError::Unknown(_), Some(op)) => match self.find_out(op, touches, &error).await? {
                            Some(applied) => applied,
                            None => continue,
                        },
                        _ => return Err(self.apply_failed(&error)),
                    }
                }
            };
            counting.applied();
            self.forget_access_times(&accessed);
            self.note_dead(dead);
            self.after(&applied, released).await;
            return Ok(Settled { value, seen, applied });
        }
        Err(FsError::Busy)
    }

    /// What clients were shown for unflushed bytes of a node must not stand still when the node changes.
    fn raise_shown(&self, plan: &mut Plan) {
        let changed = |change: &Change| match change {
            Change::UpdateNode(node, update) if update.ctime == TimeChange::Advance => Some(*node),
            _ => None,
        };
        let nodes: SmallVec<[NodeId; 4]> = plan.changes.iter().filter_map(changed).collect();
        for node in nodes {
            if let Some(pending) = self.pending.snapshot(node) {
                raise_above_shown(plan, node, Some(&pending));
            }
        }
    }

    /// Wakes the reaper where a plan left something for it, and forgets what is gone.
    async fn after(&self, applied: &Applied, released: Vec<ObjectId>) {
        let mut wake = !released.is_empty();
        self.suspects.lock().extend(released);
        for touched in &applied.nodes {
            match &touched.after {
                None => {
                    self.discard_pending(touched.id).await;
                    self.forget_access_time(touched.id);
                    self.forget_opens(touched.id).await;
                }
                Some(after) => wake |= after.flags.contains(NodeFlags::UNLINKED) || after.clip.is_some(),
            }
        }
        if wake {
            self.ledger.leave();
            self.reaping.notify_one();
        }
    }

    /// Drops what is unflushed of a node that is gone for good.
    pub(super) async fn discard_pending(&self, node: NodeId) {
        let records = self.pending.take(node);
        self.release(records).await;
        self.aside.forget(node);
    }

    /// Gives records of the journal up.
    pub(super) async fn release(&self, records: Vec<Appended>) {
        if records.is_empty() {
            return;
        }
        if let Err(error) = self.stores.journal.release(&records).await {
            tracing::warn!(share = %self.name, %error, "journal does not release records; they will be replayed");
        }
        self.room.notify_waiters();
    }

    pub(super) fn apply_failed(&self, error: &ApplyError) -> FsError {
        match error {
            ApplyError::Conflict => FsError::Busy,
            ApplyError::Full => FsError::NoSpace,
            ApplyError::Malformed => {
                tracing::error!(share = %self.name, "metadata store refuses a plan as malformed");
                FsError::Io
            }
            // Only operations without a name come here with what is unknown: doing them twice is doing them once.
            ApplyError::Unavailable(_) | ApplyError::Unknown(_) => {
                tracing::warn!(share = %self.name, %error, "metadata store does not answer");
                FsError::Busy
            }
            ApplyError::Corrupt(_) => {
                tracing::error!(share = %self.name, %error, "metadata store is damaged");
                FsError::Io
            }
        }
    }

    /// Waits a random time that grows with the attempts, so that those who met do not meet again.
    pub(super) async fn jitter(&self, attempt: u32) {
        let span_us = 100u64 << attempt.min(8);
        let wait = Duration::from_micros(self.machine.randomness.bits64() % span_us);
        self.machine.clock.sleep(wait).await;
    }
}

/// Objects that lose a reference by a plan: garbage, if it was the last one.
fn released_objects(plan: &Plan) -> Vec<ObjectId> {
    let object = |change: &Change| match change {
        Change::DeleteReference { object, .. } => Some(*object),
        _ => None,
    };
    plan.changes.iter().filter_map(object).collect()
}
