//! Time, randomness and a cache that do the same in every run.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::Timestamp;
use dittofs_ports::{BlockCache, CacheUsage, Clock, DiskCache, DiskCacheUsage, FrameKey, Randomness};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    faults::Fault,
    life::{Life, Simulation},
    random::Random,
};

/// Where the time of day starts: 2026-01-01T00:00:00Z.
const START_NANOS: i128 = 1_767_225_600_000_000_000;

/// The machine's clock, which outlives all crashes. The time of day jumps now and then.
pub(crate) struct JumpingClock {
    simulation: Arc<Simulation>,
    start: Instant,
    offset_ms: Mutex<i64>,
}

impl JumpingClock {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> JumpingClock {
        JumpingClock { simulation: Arc::clone(simulation), start: Instant::now(), offset_ms: Mutex::new(0) }
    }
}

/// That clock, as one life sees it.
pub(crate) struct LifeClock {
    pub(crate) machine: Arc<JumpingClock>,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl Clock for LifeClock {
    fn now(&self) -> Timestamp {
        let machine = &self.machine;
        let back = machine.simulation.happens(Fault::ClockBack);
        if back || machine.simulation.happens(Fault::ClockAhead) {
            let by = machine.simulation.choose(|random| random.below(10_000)) as i64;
            *machine.offset_ms.lock() += if back { -by } else { by };
        }
        let nanos = machine.start.elapsed().as_nanos() as i128 + i128::from(*machine.offset_ms.lock()) * 1_000_000;
        Timestamp::from_unix_nanos(START_NANOS + nanos)
    }

    fn monotonic(&self) -> Duration {
        self.machine.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
        self.life.step().await;
    }
}

/// Randomness of the application; with a seeded bug, always the same 64 bits.
pub(crate) struct SeededRandomness {
    random: Mutex<Random>,
    constant: bool,
}

impl SeededRandomness {
    pub(crate) fn new(seed: u64, constant: bool) -> SeededRandomness {
        SeededRandomness { random: Mutex::new(Random::stream(seed, 3)), constant }
    }
}

impl Randomness for SeededRandomness {
    fn bits64(&self) -> u64 {
        if self.constant { 7 } else { self.random.lock().bits() }
    }

    fn bits128(&self) -> u128 {
        let mut random = self.random.lock();
        u128::from(random.bits()) << 64 | u128::from(random.bits())
    }
}

const FRAMES_MAX: usize = 64;

/// A cache of few frames that now and then forgets one.
pub(crate) struct ForgetfulCache {
    simulation: Arc<Simulation>,
    frames: Mutex<HashMap<FrameKey, Bytes>>,
}

impl ForgetfulCache {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> ForgetfulCache {
        ForgetfulCache { simulation: Arc::clone(simulation), frames: Mutex::default() }
    }
}

impl BlockCache for ForgetfulCache {
    fn frame(&self, key: &FrameKey) -> Option<Bytes> {
        let mut frames = self.frames.lock();
        if frames.contains_key(key) && self.simulation.happens(Fault::CacheForgot) {
            frames.remove(key);
        }
        frames.get(key).cloned()
    }

    fn insert(&self, key: FrameKey, frame: Bytes) {
        let mut frames = self.frames.lock();
        if frames.len() >= FRAMES_MAX {
            frames.clear();
        }
        frames.insert(key, frame);
    }

    fn usage(&self) -> CacheUsage {
        CacheUsage::default()
    }
}

/// A cache on a disk, which outlives all crashes, as far as it does.
pub(crate) struct WipedDisk {
    simulation: Arc<Simulation>,
    frames: Mutex<HashMap<FrameKey, Bytes>>,
}

impl WipedDisk {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> Arc<WipedDisk> {
        Arc::new(WipedDisk { simulation: Arc::clone(simulation), frames: Mutex::default() })
    }
}

/// That cache, as one life sees it.
pub(crate) struct LifeDisk {
    pub(crate) disk: Arc<WipedDisk>,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl DiskCache for LifeDisk {
    async fn frames(&self, keys: &[FrameKey]) -> Vec<Option<Bytes>> {
        self.life.pass(3).await;
        let simulation = &self.disk.simulation;
        if simulation.happens(Fault::DiskCacheWiped) {
            self.disk.frames.lock().clear();
        }
        let find = |key: &FrameKey| {
            let mut frames = self.disk.frames.lock();
            if frames.contains_key(key) && simulation.happens(Fault::DiskCacheForgot) {
                frames.remove(key);
            }
            frames.get(key).cloned()
        };
        let found = keys.iter().map(find).collect();
        self.life.pass(3).await;
        found
    }

    fn insert(&self, key: FrameKey, frame: Bytes) {
        let mut frames = self.disk.frames.lock();
        if frames.len() >= 4 * FRAMES_MAX {
            frames.clear();
        }
        frames.insert(key, frame);
    }

    fn usage(&self) -> DiskCacheUsage {
        DiskCacheUsage::default()
    }
}
