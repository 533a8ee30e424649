//! Time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use dittofs_domain::Timestamp;
use dittofs_ports::Clock;

/// The machine's clocks. Sleeping needs a tokio runtime with its timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    /// On the clock of [`since_boot`].
    start: Duration,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> SystemClock {
        SystemClock { start: since_boot() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        timestamp(SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.start)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The time since the machine was started. It goes on while the machine sleeps: a lease that ran out meanwhile must be
/// over when it wakes up.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

/// The same where the standard library's clock goes on while the machine sleeps, or no better one is known.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

fn timestamp(time: SystemTime) -> Timestamp {
    let (after, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (true, since.as_nanos()),
        Err(before) => (false, before.duration().as_nanos()),
    };
    let nanos = i128::try_from(nanos).unwrap_or(i128::MAX);
    Timestamp::from_unix_nanos(if after { nanos } else { -nanos })
}

#[cfg(test)]
mod tests;
