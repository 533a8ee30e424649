//! Judges an operation by what this instance knows, without asking the store of opens: enough for nearly every read
//! and write.

use dittofs_domain::{
    NodeId,
    error::FsResult,
    opens::{Denied, NodeOpens, OpenToken, Operation, ShareAccess},
};
use dittofs_ports::{Caller, OpenHint};

use crate::volume::open_table::{OpenTable, open::own};

/// The verdict on an operation by what this instance knows.
pub(super) enum Known {
    /// It may go on, and takes nothing from anybody; the access of the caller's open.
    Admitted(ShareAccess),
    /// It is refused.
    Denied {
        denied: Denied,
        /// Whether the caller's open is for it, so that permission is no question.
        is_covered: bool,
    },
    /// The store has to be asked: somebody loses something by it, or another instance may know more.
    Ask,
}

impl OpenTable {
    /// Returns what is known of an operation. It stays true until somebody is given something on the node, which
    /// happens under its lock.
    pub(super) fn known(&self, caller: &Caller, node: NodeId, operation: Operation) -> Known {
        if self.state.is_idle() {
            return Known::Admitted(ShareAccess::empty());
        }
        let mut known = Known::Ask;
        let mut judge = |opens: &NodeOpens| known = judge(opens, caller, operation, self.share.now_ms());
        match self.state.hint(node, &mut judge) {
            OpenHint::Nothing => Known::Admitted(ShareAccess::empty()),
            OpenHint::Seen => known,
            OpenHint::Unknown => Known::Ask,
        }
    }

    /// Returns what the caller's open is for; nothing without one.
    pub(in crate::volume) async fn access_of(&self, caller: &Caller, node: NodeId) -> FsResult<ShareAccess> {
        if caller.opener.is_none() {
            return Ok(ShareAccess::empty());
        }
        let mut access = ShareAccess::empty();
        match self.state.hint(node, &mut |opens: &NodeOpens| access = opened_by(opens, caller).1) {
            OpenHint::Nothing | OpenHint::Seen => Ok(access),
            OpenHint::Unknown => self.change_opens(node, |opens| (opened_by(opens, caller).1, Vec::new())).await,
        }
    }
}

fn judge(opens: &NodeOpens, caller: &Caller, operation: Operation, now_ms: u64) -> Known {
    // Rights that are overdue are revoked first, and their holders notified.
    if opens.leases().next_deadline_ms().is_some_and(|deadline_ms| deadline_ms <= now_ms) {
        return Known::Ask;
    }
    let (opener, access) = opened_by(opens, caller);
    match opens.admits(caller.client, opener, operation) {
        Some(Ok(())) => Known::Admitted(access),
        Some(Err(denied)) => Known::Denied { denied, is_covered: covers(access, operation) },
        None => Known::Ask,
    }
}

/// The open that a caller comes through, if it has it, and what it is for.
pub(super) fn opened_by(opens: &NodeOpens, caller: &Caller) -> (Option<OpenToken>, ShareAccess) {
    match caller.opener.and_then(|token| own(opens, caller.client, token).map(|open| (token, open))) {
        Some((token, open)) => (Some(token), open.share.access),
        None => (None, ShareAccess::empty()),
    }
}

/// Whether an open for `access` was opened for an operation.
pub(super) fn covers(access: ShareAccess, operation: Operation) -> bool {
    !operation.access().is_empty() && access.contains(operation.access())
}
