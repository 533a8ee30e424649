//! Calls that are sent again: a change that was carried out, but whose reply got lost, is not carried out a second time.
//!
//! The store notes each named operation with its plan. So before anything is decided it is asked whether it knows the
//! name: a rule that sees the change would take it for somebody else's, and refuse. While the store can't say so, the
//! call gets no answer: any other could be wrong, and "try again later" lets the client send the call under a new name.

use std::time::Duration;

use dittofs_domain::{
    NodeId, OpId,
    error::{FsError, FsResult},
    namespace::{CreateRequest, LinkRequest, RenameRequest},
    plan::{Applied, Query, Touched},
};
use dittofs_ports::{ApplyError, Changed, Created, Linked, Renamed};
use smallvec::SmallVec;

use super::{Volume, overlay::Seen};

/// How long a store is asked what became of an operation. A database that failed is open again within tens of
/// milliseconds, unless its disk is away; a client that gets no reply sends the call again after some seconds.
const ASKED_FOR: Duration = Duration::from_secs(5);
/// How long it is left alone in between.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a store is still asked about something that was carried out.
pub(super) struct Persistence {
    until: Duration,
    /// Clocks of tests may stand still.
    pauses_left: u128,
}

/// The error of a call that was carried out, or perhaps was.
pub(super) fn unanswered(error: FsError) -> FsError {
    if error == FsError::Busy { FsError::Unanswered } else { error }
}

impl Volume {
    /// What the query finds, if the operation was carried out before.
    ///
    /// # Errors
    /// `Unanswered` if that can't be found out, `Io`.
    pub(super) async fn earlier(&self, op: Option<OpId>, query: impl FnOnce() -> Query) -> FsResult<Option<Seen>> {
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
        tracing::warn!(share = %self.name, error = %why, "metadata store is asked what became of a change");
        let nodes = touches.iter().copied().collect();
        let seen = self.ask_store(&Query { nodes, op: Some(op), ..Query::default() }).await?;
        let after = |id: NodeId| Touched { id, before: None, after: seen.node(id).ok().cloned() };
        Ok(seen.earlier.is_some().then(|| Applied { nodes: touches.into_iter().map(after).collect() }))
    }

    /// Reads what a named operation came to, for as long as it is worth while.
    async fn ask_store(&self, query: &Query) -> FsResult<Seen> {
        let mut persistence = self.persistence();
        loop {
            match self.view(query).await {
                Err(FsError::Busy) if self.waited(&mut persistence).await => {}
                answer => return answer.map_err(unanswered),
            }
        }
    }

    pub(super) fn persistence(&self) -> Persistence {
        let pauses_left = ASKED_FOR.as_millis() / PAUSE.as_millis();
        Persistence { until: self.machine.clock.monotonic() + ASKED_FOR, pauses_left }
    }

    /// Lets a store that did not answer alone for a while; false if it is not worth while any more.
    pub(super) async fn waited(&self, persistence: &mut Persistence) -> bool {
        if persistence.pauses_left == 0 || self.machine.clock.monotonic() >= persistence.until {
            return false;
        }
        persistence.pauses_left -= 1;
        self.machine.clock.sleep(PAUSE).await;
        true
    }

    /// A directory, or a node, that was changed by then. What it was before is not known any more.
    pub(super) async fn changed_by_then(&self, seen: &Seen, id: NodeId) -> FsResult<Changed> {
        Ok(Changed { before: None, after: self.overlay_changed(seen.moment, seen.node(id)?).await? })
    }

    pub(super) async fn created_by_then(&self, seen: &Seen, request: &CreateRequest) -> FsResult<Created> {
        let earlier = seen.earlier.as_ref().ok_or(FsError::Unanswered)?;
        // Without a node of its own it gave one that was there another size.
        let found = || seen.entry(0).map(|found| &found.node);
        let node = if earlier.made.is_some() { earlier.node.as_ref() } else { found() };
        let node = self.overlay_changed(seen.moment, node.ok_or(FsError::Stale)?).await?;
        let directory = self.changed_by_then(seen, request.directory).await?;
        Ok(Created { node, directory, new: earlier.made.is_some() })
    }

    pub(super) async fn linked_by_then(&self, seen: &Seen, request: &LinkRequest) -> FsResult<Linked> {
        let directory = self.changed_by_then(seen, request.directory).await?;
        Ok(Linked { node: self.changed_by_then(seen, request.node).await?.after, directory })
    }

    pub(super) async fn renamed_by_then(&self, seen: &Seen, request: &RenameRequest) -> FsResult<Renamed> {
        Ok(Renamed {
            from_directory: self.changed_by_then(seen, request.from_directory).await?,
            to_directory: self.changed_by_then(seen, request.to_directory).await?,
        })
    }
}
