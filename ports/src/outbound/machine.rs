//! The services of the machine: time, randomness, tasks. They are ports, so that a seeded simulation can replay
//! everything.

use async_trait::async_trait;
use dittofs_domain::Timestamp;
use std::{future::Future, pin::Pin, time::Duration};

/// Time.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day. May jump in both directions.
    fn now(&self) -> Timestamp;
    /// Time since some fixed instant of this process. Never goes back.
    fn monotonic(&self) -> Duration;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// Random bits, unpredictable for anybody outside.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Randomness: Send + Sync {
    /// 64 bits.
    fn bits64(&self) -> u64;
    /// 128 bits.
    fn bits128(&self) -> u128;
}

/// Tasks in the background.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Spawner: Send + Sync {
    /// Runs a future to its end, concurrently with the caller.
    /// - a task that must end before the program does learns that from what it waits for, not by this port.
    fn spawn(&self, name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>);
}
