//! Changes of a file's content: what is stored of it and what is unflushed of it change together.

use dittofs_domain::{
    OpId,
    attributes::Pending,
    error::FsResult,
    plan::{Plan, Query, View},
};
use dittofs_ports::Appended;

use crate::volume::{
    node_locks::NodeLock,
    pending::PendingNodes,
    plans::{PlanRunner, Settled},
};

/// What is read for a change of content, and what is left of it where nobody knows whether it was done.
pub(in crate::volume) struct ContentQuery {
    pub(in crate::volume) query: Query,
    pub(in crate::volume) op: Option<OpId>,
    /// Whether bytes go that are only in the journal. If the plan may have been applied, the index must be made to fit
    /// what is stored before anybody sees the file; bytes that a flush has stored twice do no harm.
    pub(in crate::volume) cuts: bool,
}

impl PlanRunner {
    /// Runs a plan for the content of a node, and has the index forget what the plan has put into the map or cut.
    /// Readers of the node start again meanwhile, as what they see of map and index may not fit.
    ///
    /// The rule sees what was shown of unflushed bytes before. `forget` answers the records that are done then.
    ///
    /// # Errors
    /// Those of [`PlanRunner::run`]; `Io` where records of the node are in no index.
    pub(in crate::volume) async fn change_content<T: Send>(
        &self,
        lock: &NodeLock<'_>,
        ContentQuery { query, op, cuts }: ContentQuery,
        mut decide: impl FnMut(&View, Option<&Pending>) -> FsResult<(Plan, T)> + Send,
        forget: impl FnOnce(&PendingNodes, &T) -> Vec<Appended> + Send,
    ) -> FsResult<Settled<T>> {
        self.write_back.demand_placed(lock.node())?;
        let pending = self.nodes.pending();
        let before = pending.snapshot(lock.node());
        let guard = pending.write_guard(lock);
        match self.run(query, op, |view| decide(view, before.as_ref())).await {
            Ok(settled) => {
                let released = forget(pending, &settled.value);
                drop(guard);
                self.write_back.release(released).await;
                Ok(settled)
            }
            Err(error) => {
                if cuts {
                    self.write_back.fit_pending(lock).await;
                }
                Err(error)
            }
        }
    }
}
