//! The time of the runtime, which jumps where everybody sleeps.

use std::time::Duration;

use async_trait::async_trait;
use dittofs_domain::Timestamp;
use dittofs_ports::Clock;
use tokio::time::Instant;

/// A clock that began at the epoch, at this instant.
pub(crate) struct PausedClock(pub(crate) Instant);

#[async_trait]
impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH.plus_ms(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
