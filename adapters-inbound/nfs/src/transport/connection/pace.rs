use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use dittofs_transport::Progress;

use super::super::Limits;
use super::deadline::Deadline;

/// How long a connection's client may keep the server waiting.
pub(super) struct Pace {
    /// Of the record that is half received.
    pub(super) record: Progress,
    /// Of the replies that are not taken.
    pub(super) replies: Progress,
    /// Of either, in small steps: for when others wait.
    pub(super) steps: Progress,
    /// When the newest bytes came or went.
    pub(super) active: Instant,
    began: Instant,
    deadline: Deadline,
}

/// The state of a connection whose client is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// It holds room that others could use.
    pub(super) room: bool,
    /// Others wait for room.
    pub(super) is_short: bool,
    /// It carries nothing: no call, no reply, no part of a record.
    pub(super) is_idle: bool,
    /// No share has answered a call of it, and it isn't the server that keeps it waiting.
    pub(super) is_unadmitted: bool,
}

/// The task at which a client was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slow {
    Replies,
    Record,
    Idle,
    /// At making a call that a share answers.
    Unadmitted,
}

/// The bytes of its replies that a client must take in time: as many as a slow link carries in a second.
const TAKEN_BYTES_MIN: u64 = 64 << 10;
/// The bytes that count as a step. Single bytes must not count, and any link that works moves more in a second.
const STEP_BYTES: u64 = 1024;
/// How often a connection that holds room looks whether others wait for it. A fifth of what a slow one has when others
/// wait, so that it is found in time at little cost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            record: Progress::of_the_whole(),
            replies: Progress::of_at_least(TAKEN_BYTES_MIN),
            steps: Progress::of_at_least(STEP_BYTES),
            active: now,
            began: now,
            deadline: Deadline::default(),
        }
    }

    /// Ready when the client's time is up; the task is woken no later than then.
    pub(super) fn poll(&mut self, held: Held, limits: &Limits, context: &mut Context<'_>) -> Poll<Slow> {
        let now = Instant::now();
        for (slow, due) in self.due(held, limits, now) {
            if self.deadline.poll(due.map(Into::into), context).is_ready() {
                return Poll::Ready(slow);
            }
        }
        Poll::Pending
    }

    fn due(&self, held: Held, limits: &Limits, now: Instant) -> [(Slow, Option<Instant>); 4] {
        let due = |progress: &Progress, patience: Duration| {
            let due = progress.deadline(patience)?;
            let whole = progress.deadline(limits.timeout_when_short)?;
            let early = self.steps.deadline(limits.stall_when_short).map_or(whole, |stalled| stalled.min(whole));
            if !held.room || early >= due {
                return Some(due);
            }
            if now < early || held.is_short { Some(early) } else { Some(due.min(now + LOOK_AGAIN)) }
        };
        let idle = held.is_idle.then(|| self.active.checked_add(limits.idle_timeout)).flatten();
        // Calls that no share answers are not what a connection is kept for.
        let unadmitted = held.is_unadmitted.then(|| self.admission_deadline(limits)).flatten();
        [
            (Slow::Replies, due(&self.replies, limits.slow_reader_timeout)),
            (Slow::Record, due(&self.record, limits.partial_record_timeout)),
            (Slow::Idle, idle),
            (Slow::Unadmitted, unadmitted),
        ]
    }

    /// Until when a share must have answered a call.
    pub(super) fn admission_deadline(&self, limits: &Limits) -> Option<Instant> {
        self.began.checked_add(limits.admission_timeout)
    }
}

#[cfg(test)]
mod tests;
