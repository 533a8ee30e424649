//! Time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use dittofs_domain::Timestamp;
use dittofs_ports::Clock;

/// The machine's clocks. Sleeping needs a tokio runtime with its timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
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
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
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
