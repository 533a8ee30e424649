//! Logs requests: each of them at `debug`, and those that took long.

use std::time::{Duration, Instant};

use dittofs_smb_wire::{NtStatus, identifiers::FileId};
use tracing::Level;

use crate::{calls::Call, open::OpenKind, tree::TreeKind};

/// The target of requests.
const CALLS: &str = "dittofs_smb::calls";

/// A request that is being carried out, and may be worth a line.
pub(crate) struct CallLine {
    began: Instant,
    slow: Option<Duration>,
    /// The file that it goes through.
    named: Option<FileId>,
    /// Its node, where that is sure to be wanted. A close leaves nothing to find.
    node: Option<u64>,
    is_wanted: bool,
}

impl CallLine {
    /// Begins with the call.
    pub(crate) fn begin(call: &Call, named: Option<FileId>) -> CallLine {
        let is_wanted = tracing::enabled!(target: CALLS, Level::DEBUG);
        let node = if is_wanted { node_of(call, named) } else { None };
        CallLine { began: Instant::now(), slow: call.link.server.slow, named, node, is_wanted }
    }

    /// Ends with its answer. A request that was answered later on purpose, such as for a lock that somebody holds, was
    /// not slow.
    pub(crate) fn end(self, call: &Call, status: NtStatus) {
        let took = self.began.elapsed();
        let is_slow = self.slow.is_some_and(|slow| took > slow) && !call.is_waiting();
        if !is_slow && !self.is_wanted {
            return;
        }
        let share = match call.tree().map(|tree| &tree.kind) {
            Ok(TreeKind::Files(files)) => files.name.as_str(),
            Ok(TreeKind::Pipes) | Err(_) => "",
        };
        let (client, user) = (call.link.peer, call.session.user());
        let user = user.name.as_str();
        let (procedure, file) = (call.header.command, self.node.or_else(|| node_of(call, self.named)));
        if is_slow {
            let ms = took.as_millis() as u64;
            tracing::warn!(target: CALLS, %share, %client, %user, ?procedure, file, result = ?status, ms, "slow");
        }
        let us = took.as_micros() as u64;
        tracing::debug!(target: CALLS, %share, %client, %user, ?procedure, file, result = ?status, us, "call");
    }
}

fn node_of(call: &Call, named: Option<FileId>) -> Option<u64> {
    match &call.open(named?).ok()?.kind {
        OpenKind::Node(node) => Some(node.node.0),
        OpenKind::Pipe(_) => None,
    }
}
