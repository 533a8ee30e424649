//! Time, randomness and tasks that do the same in every run.

use std::{pin::Pin, sync::Mutex, time::Duration};

use async_trait::async_trait;
use dittofs_domain::Timestamp;
use dittofs_ports::{Clock, Randomness, Spawner};
use tokio::time::Instant;

use crate::model::Random;

/// A time of day that stands still until the test moves it, in either direction, and a time since the start that may
/// pass faster than the runtime's.
pub struct SteppedClock {
    now: Mutex<Timestamp>,
    start: Instant,
    /// How much faster ages and graces pass than they really do.
    speed: u32,
}

impl SteppedClock {
    /// Where it starts: 2026-01-01T00:00:00Z.
    pub const START: Timestamp = match Timestamp::new(1_767_225_600, 0) {
        Some(time) => time,
        None => Timestamp::EPOCH,
    };

    pub(super) fn new(speed: u32) -> SteppedClock {
        SteppedClock { now: Mutex::new(Self::START), start: Instant::now(), speed }
    }

    pub(super) fn speed(&self) -> u32 {
        self.speed
    }

    /// Moves the time of day by some nanoseconds.
    pub fn step(&self, nanos: i64) {
        let mut now = self.now.lock().unwrap();
        *now = Timestamp::from_unix_nanos(now.unix_nanos() + i128::from(nanos));
    }
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed() * self.speed
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }
}

pub(super) struct SeededRandomness(Mutex<Random>);

impl SeededRandomness {
    pub(super) fn new(seed: u64) -> SeededRandomness {
        SeededRandomness(Mutex::new(Random::new(seed)))
    }
}

impl Randomness for SeededRandomness {
    fn bits64(&self) -> u64 {
        self.0.lock().unwrap().bits()
    }

    fn bits128(&self) -> u128 {
        u128::from(self.bits64()) << 64 | u128::from(self.bits64())
    }
}

pub(super) struct RuntimeSpawner;

impl Spawner for RuntimeSpawner {
    fn spawn(&self, _name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) {
        tokio::spawn(task);
    }
}
