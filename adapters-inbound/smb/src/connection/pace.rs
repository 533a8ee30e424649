//! How long a client may keep the server waiting, with a frame that it sends or with answers that it takes.

use std::{io, pin::pin, time::Duration};

use dittofs_transport::{Account, Progress};
use tokio::time::{Instant, timeout_at};

use crate::calls::Broken;

/// The bytes that a client must move within its patience, or all that there are: as many as a slow link carries in a
/// second.
const BYTES_MIN: u64 = 64 << 10;
/// The bytes that count as a step. Single bytes must not count, and any link that works moves more in a second.
const STEP_BYTES: u64 = 1 << 10;
/// How long a client has that holds room others wait for, as NFS has it: longer than a link takes that lost packets.
const WHEN_SHORT: Duration = Duration::from_secs(5);
/// How long it may move nothing at all then. Those who wait are served in turn, so that each that stands still delays
/// all behind it by so long.
const STALL_WHEN_SHORT: Duration = Duration::from_secs(1);

/// How often it is looked whether others wait for room.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How far a client has come.
pub(super) struct Pace {
    whole: Progress,
    steps: Progress,
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace { whole: Progress::of_at_least(BYTES_MIN), steps: Progress::of_at_least(STEP_BYTES) }
    }

    /// Waits for the client to send or to take something. May be dropped and called again: the time goes on.
    ///
    /// # Errors
    /// The client is gone, or too slow.
    pub(super) async fn within<T>(
        &mut self,
        patience: Duration,
        account: &Account,
        transfer: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Broken> {
        let mut transfer = pin!(transfer);
        loop {
            let until = self.wait(patience, account.is_short());
            let look_again = Instant::now() + LOOK_AGAIN;
            match timeout_at(until.min(look_again), &mut transfer).await {
                Ok(done) => return done.map_err(|_| Broken),
                Err(_) if look_again < until => {}
                Err(_) => return Err(Broken),
            }
        }
    }

    /// The client is waited for. Returns until when, where others wait for room (`is_short`) or not.
    fn wait(&mut self, patience: Duration, is_short: bool) -> Instant {
        let now = Instant::now();
        self.whole.wait(now.into_std());
        self.steps.wait(now.into_std());
        let usual = self.whole.deadline(patience);
        let short = self.whole.deadline(WHEN_SHORT).min(self.steps.deadline(STALL_WHEN_SHORT));
        let until = if is_short { usual.min(short) } else { usual };
        until.map_or(now, Instant::from_std)
    }

    pub(super) fn moved(&mut self, bytes: usize) {
        self.whole.moved(bytes as u64);
        self.steps.moved(bytes as u64);
    }

    /// All is there, or it is not the client who is waited for.
    pub(super) fn end(&mut self) {
        self.whole.end();
        self.steps.end();
    }
}

#[cfg(test)]
mod tests;
