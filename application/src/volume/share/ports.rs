//! Clients that are refused for the port that they call from.

use std::time::Duration;

use dittofs_ports::Presented;
use parking_lot::Mutex;

use crate::volume::share::Share;

/// A line of the log in so long: who is refused may ask as often as it likes.
const PAUSE: Duration = Duration::from_secs(60);

/// When such a refusal was reported, and how many came since.
#[derive(Debug, Default)]
pub(super) struct RefusedPorts(Mutex<(Option<Duration>, u64)>);

impl RefusedPorts {
    /// Counts a refusal. If a line is due: how many were not reported before this one.
    fn due(&self, now: Duration) -> Option<u64> {
        let (last, unreported) = &mut *self.0.lock();
        if last.is_some_and(|last| now.saturating_sub(last) < PAUSE) {
            *unreported += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(unreported))
    }
}

impl Share {
    /// Says in the log what keeps a client out, and what lets it in.
    pub(super) fn report_refused_port(&self, who: &Presented) {
        let Some(unreported) = self.refused_ports.due(self.monotonic()) else { return };
        tracing::warn!(
            share = %self.name, client = %who.address, port = who.port, unreported,
            "a client is refused for its source port: the share takes those below 1024 only (`secure_ports: true`), which mounts by \
             root have; `secure_ports: false` or `serve --insecure-ports` lets clients in user space in, which may then be anybody",
        );
    }
}

#[cfg(test)]
mod tests;
