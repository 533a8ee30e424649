//! How long the content store has not answered.

use std::time::Duration;

use parking_lot::Mutex;

/// Failures further apart are not of one outage: nobody asked in between.
const APART: Duration = Duration::from_secs(90);

/// The times of the first and the last request that was not answered, if none has been since.
#[derive(Debug, Default)]
pub(in crate::volume) struct Outage(Mutex<Option<(Duration, Duration)>>);

impl Outage {
    /// Notes a request without an answer.
    pub(in crate::volume) fn failed(&self, now: Duration) {
        let mut times = self.0.lock();
        let since = match *times {
            Some((since, last)) if now.saturating_sub(last) < APART => since,
            Some(_) | None => now,
        };
        *times = Some((since, now));
    }

    /// Notes an answer.
    pub(in crate::volume) fn over(&self) {
        *self.0.lock() = None;
    }

    /// How long there has been no answer; none if the last request got one.
    pub(in crate::volume) fn lasts(&self, now: Duration) -> Option<Duration> {
        self.0.lock().map(|(since, _)| now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests;
