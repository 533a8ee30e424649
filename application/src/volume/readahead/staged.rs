//! Frames that were fetched ahead and wait to be read. The cache may refuse to keep them: it does not know that somebody
//! will want them soon.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use dittofs_ports::FrameKey;

/// The newest of them, bounded by their bytes.
#[derive(Debug, Default)]
pub(super) struct Staged {
    frames: HashMap<FrameKey, Bytes>,
    order: VecDeque<FrameKey>,
    bytes: u64,
}

impl Staged {
    pub(super) fn find(&self, key: &FrameKey) -> Option<Bytes> {
        self.frames.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: FrameKey, frame: Bytes, bytes_max: u64) {
        let length = frame.len() as u64;
        if self.frames.insert(key, frame).is_some() {
            return;
        }
        self.order.push_back(key);
        self.bytes += length;
        while self.bytes > bytes_max
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.frames.remove(&oldest).map_or(0, |frame| frame.len() as u64);
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }
}
