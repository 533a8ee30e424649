//! Calls that are sent again: a change that was carried out, but whose reply got lost, is not carried out twice.
//!
//! The store notes each named operation with its plan. So the view that is decided on says whether it knows the name
//! ([`PlanRunner::run_named`]): a rule that sees the change would take it for somebody else's, and refuse. While the
//! store can't say so, the call gets no answer: any other could be wrong, and "try again later" lets the client send the
//! call under a new name.

use dittofs_domain::{
    NodeId, OpId,
    error::{FsError, FsResult},
    plan::{Applied, Query, Touched},
};
use dittofs_ports::ApplyError;
use smallvec::SmallVec;

use crate::volume::{
    nodes::{Seen, unanswered},
    plans::PlanRunner,
};

impl PlanRunner {
    /// Returns what the query finds, if the operation was carried out before: for what may be refused before its plan is
    /// decided.
    ///
    /// # Errors
    /// `Unanswered` if that can't be found out, `Io`.
    pub(in crate::volume) async fn earlier(
        &self,
        op: Option<OpId>,
        query: impl FnOnce() -> Query,
    ) -> FsResult<Option<Seen>> {
        if op.is_none() || self.ask_store(&Query::default().asking(op)).await?.earlier.is_none() {
            return Ok(None);
        }
        let seen = self.ask_store(&query().asking(op)).await?;
        // Forgotten between the two: too old to be a repetition.
        Ok(seen.earlier.is_some().then_some(seen))
    }

    /// After a conflict: it may be that the operation is known by now, as a copy of the call has been faster. Its next
    /// repetition will find out.
    pub(super) async fn must_not_be_done(&self, op: Option<OpId>) -> FsResult<()> {
        let done = op.is_some() && self.ask_store(&Query::default().asking(op)).await?.earlier.is_some();
        if done { Err(FsError::Unanswered) } else { Ok(()) }
    }

    /// After a plan of which nobody knows whether it was applied: what it did to the nodes that it touches; none if it
    /// was not applied, and never will be.
    pub(super) async fn find_out(
        &self,
        op: OpId,
        touches: SmallVec<[NodeId; 4]>,
        why: &ApplyError,
    ) -> FsResult<Option<Applied>> {
        tracing::warn!(share = %self.share.name(), error = %why, "metadata store is asked what became of a change");
        let nodes = touches.iter().copied().collect();
        let seen = self.ask_store(&Query { nodes, op: Some(op), ..Query::default() }).await?;
        let after = |id: NodeId| Touched { id, before: None, after: seen.node(id).ok().cloned() };
        Ok(seen.earlier.is_some().then(|| Applied { nodes: touches.into_iter().map(after).collect() }))
    }

    /// Reads what a named operation came to, for as long as it is worth while.
    pub(super) async fn ask_store(&self, query: &Query) -> FsResult<Seen> {
        let mut persistence = self.nodes.persistence();
        loop {
            match self.nodes.view(query).await {
                Err(FsError::Busy) if self.nodes.waited(&mut persistence).await => {}
                answer => return answer.map_err(unanswered),
            }
        }
    }
}
