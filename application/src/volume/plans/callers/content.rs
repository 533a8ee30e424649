//! Changes of a file's content that somebody has asked for.

use dittofs_domain::{
    attributes::Pending,
    error::FsResult,
    plan::{Plan, View},
};
use dittofs_ports::Appended;

use super::PlansOf;
use crate::volume::{
    node_locks::NodeLock,
    pending::PendingNodes,
    plans::{ContentQuery, PlanOutcome, leased},
};

impl PlansOf<'_> {
    /// Runs a plan for the content of a node, and has the index forget what the plan has put into the map or removed.
    /// Readers of the node start again meanwhile, as what they see of map and index may not fit.
    ///
    /// The rule sees what was shown of unflushed bytes before. `forget` answers the records that are done then.
    ///
    /// # Errors
    /// Those of [`PlansOf::run`]; `Io` where records of the node are in no index.
    pub(in crate::volume) async fn change_content<T: Send>(
        self,
        lock: &NodeLock<'_>,
        ContentQuery { query, op, removes }: ContentQuery,
        mut decide: impl FnMut(&View, Option<&Pending>) -> FsResult<(Plan, T)> + Send,
        forget: impl FnOnce(&PendingNodes, &T) -> Vec<Appended> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        let plans = self.plans;
        plans.write_back.demand_placed(lock.node())?;
        plans.fit(lock).await?;
        let pending = plans.nodes.pending();
        let before = pending.snapshot(lock.node());
        let guard = pending.write_guard(lock);
        let decided = leased(lock, |view: &View| decide(view, before.as_ref()));
        match self.run_for(removes.then_some(lock), query, op, decided).await {
            Ok(outcome) => {
                let released = forget(pending, &outcome.value);
                pending.set_uncertain(lock, false);
                drop(guard);
                plans.write_back.release(released).await;
                Ok(outcome)
            }
            Err(error) => {
                plans.fit_in_the_end(lock).await;
                Err(error)
            }
        }
    }
}
