//! How long a store is asked about something that was carried out, or perhaps was.

use std::time::Duration;

use dittofs_domain::{
    NodeId,
    error::{FsError, FsResult},
};
use dittofs_ports::Changed;

use crate::volume::nodes::{Nodes, Seen};

/// How long a store is asked what became of an operation. A database that failed is open again within tens of
/// milliseconds, unless its disk is away; a client that gets no reply sends the call again after some seconds.
const ASKED_FOR: Duration = Duration::from_secs(5);
/// How long it is left alone in between.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a store is still asked about something that was carried out.
pub(in crate::volume) struct Persistence {
    until: Duration,
    /// Clocks of tests may stand still.
    pauses_left: u128,
}

/// The error of a call that was carried out, or perhaps was.
pub(in crate::volume) fn unanswered(error: FsError) -> FsError {
    if error == FsError::Busy { FsError::Unanswered } else { error }
}

impl Nodes {
    pub(in crate::volume) fn persistence(&self) -> Persistence {
        let pauses_left = ASKED_FOR.as_millis() / PAUSE.as_millis();
        Persistence { until: self.share.monotonic() + ASKED_FOR, pauses_left }
    }

    /// Lets a store that did not answer alone for a while; false if it is not worth while any more.
    pub(in crate::volume) async fn waited(&self, persistence: &mut Persistence) -> bool {
        if persistence.pauses_left == 0 || self.share.monotonic() >= persistence.until {
            return false;
        }
        persistence.pauses_left -= 1;
        self.share.sleep(PAUSE).await;
        true
    }

    /// A directory, or a node, that was changed by then. What it was before is not known any more.
    pub(in crate::volume) async fn changed_by_then(&self, seen: &Seen, id: NodeId) -> FsResult<Changed> {
        Ok(Changed { before: None, after: self.overlay_changed(seen.version, seen.node(id)?).await? })
    }
}
