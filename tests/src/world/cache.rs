//! A cache that forgets.

use std::{collections::HashMap, sync::Mutex};

use bytes::Bytes;
use dittofs_ports::{BlockCache, CacheUsage, FrameKey};

use crate::model::Random;

/// A cache of few frames that now and then forgets one, or all of them.
pub struct ForgetfulCache {
    state: Mutex<(Random, HashMap<FrameKey, Bytes>)>,
}

const FRAMES_MAX: usize = 64;

impl ForgetfulCache {
    /// An empty one.
    pub fn new(seed: u64) -> ForgetfulCache {
        ForgetfulCache { state: Mutex::new((Random::new(seed), HashMap::new())) }
    }
}

impl BlockCache for ForgetfulCache {
    fn frame(&self, key: &FrameKey) -> Option<Bytes> {
        let (random, frames) = &mut *self.state.lock().unwrap();
        if random.one_in(5) {
            frames.remove(key);
        }
        frames.get(key).cloned()
    }

    fn insert(&self, key: FrameKey, frame: Bytes) {
        let (random, frames) = &mut *self.state.lock().unwrap();
        if frames.len() >= FRAMES_MAX || random.one_in(40) {
            frames.clear();
        }
        frames.insert(key, frame);
    }

    fn usage(&self) -> CacheUsage {
        CacheUsage::default()
    }
}
