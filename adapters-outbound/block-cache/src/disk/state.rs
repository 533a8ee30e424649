//! The state that the readers and the writer of a cache share.

use std::{
    collections::VecDeque,
    fmt::Display,
    fs::File,
    path::PathBuf,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use dittofs_domain::counters::Counter;
use dittofs_ports::{DiskCacheUsage, FrameKey};
use parking_lot::{Condvar, Mutex};

use super::{
    format::{self, FRAME_LEN_MAX},
    index::Index,
};

/// Bytes that wait to be written: a disk that is slower than this many in a moment is not made to catch up.
const WAITING_BYTES_MAX: u64 = 16 << 20;

pub(super) struct State {
    pub(super) folder: PathBuf,
    /// Keeps others out, while it is open.
    pub(super) _lock: Option<File>,
    pub(super) limit: u64,
    pub(super) index: Mutex<Index>,
    pub(super) next_number: AtomicU64,
    queue: Mutex<Queue>,
    changed: Condvar,
    off: AtomicBool,
    pub(super) hits: Counter,
    pub(super) misses: Counter,
    pub(super) damaged: Counter,
    dropped: Counter,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<(FrameKey, Bytes)>,
    bytes: u64,
    /// The writer works on what it took.
    is_busy: bool,
    is_closed: bool,
}

impl State {
    pub(super) fn new(folder: PathBuf, lock: Option<File>, limit: u64, index: Index, next_number: u64) -> State {
        State {
            folder,
            _lock: lock,
            limit,
            index: Mutex::new(index),
            next_number: AtomicU64::new(next_number),
            queue: Mutex::default(),
            changed: Condvar::new(),
            off: AtomicBool::new(false),
            hits: Counter::default(),
            misses: Counter::default(),
            damaged: Counter::default(),
            dropped: Counter::default(),
        }
    }

    /// Bytes of a segment; 16 of them or more fit into the limit.
    pub(super) fn segment_bytes(&self) -> u64 {
        (self.limit / 16).clamp(1 << 20, 64 << 20)
    }

    pub(super) fn segments_max(&self) -> usize {
        usize::try_from(self.limit / self.segment_bytes()).unwrap_or(usize::MAX)
    }

    pub(super) fn is_off(&self) -> bool {
        self.off.load(Ordering::Acquire)
    }

    /// Switches the cache off: whatever is wrong with its disk, reads go on without it.
    pub(super) fn give_up(&self, doing: &str, error: &dyn Display) {
        if self.off.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!(folder = %self.folder.display(), %error, "the disk cache {doing}: it is off until the next start");
        self.index.lock().clear();
        let mut queue = self.queue.lock();
        queue.frames = VecDeque::new();
        queue.bytes = 0;
        self.changed.notify_all();
    }

    pub(super) fn offer(&self, key: FrameKey, frame: Bytes) {
        let is_frame = (1..=FRAME_LEN_MAX).contains(&frame.len());
        if self.is_off() || !is_frame || self.index.lock().contains(format::hash_of(&key)) {
            return;
        }
        let mut queue = self.queue.lock();
        if queue.bytes + frame.len() as u64 > WAITING_BYTES_MAX || queue.is_closed {
            drop(queue);
            self.dropped.count();
            return;
        }
        queue.bytes += frame.len() as u64;
        queue.frames.push_back((key, frame));
        if queue.frames.len() == 1 {
            self.changed.notify_all();
        }
    }

    /// Waits for frames to write; none at the end.
    pub(super) fn take(&self) -> Option<VecDeque<(FrameKey, Bytes)>> {
        let mut queue = self.queue.lock();
        queue.is_busy = false;
        self.changed.notify_all();
        loop {
            if self.is_off() {
                return None;
            }
            if !queue.frames.is_empty() {
                queue.is_busy = true;
                return Some(std::mem::take(&mut queue.frames));
            }
            if queue.is_closed {
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }

    /// Notes that a frame that was taken is no longer held.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut queue = self.queue.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes as u64);
    }

    pub(super) fn wait_until_written(&self) {
        let mut queue = self.queue.lock();
        while !self.is_off() && (queue.is_busy || !queue.frames.is_empty()) {
            self.changed.wait(&mut queue);
        }
    }

    pub(super) fn close(&self) {
        self.queue.lock().is_closed = true;
        self.changed.notify_all();
    }

    pub(super) fn usage(&self) -> DiskCacheUsage {
        DiskCacheUsage {
            used: self.index.lock().bytes(),
            limit: self.limit,
            hits: self.hits.read(),
            misses: self.misses.read(),
            dropped: self.dropped.read(),
            damaged: self.damaged.read(),
            is_off: self.is_off(),
        }
    }
}
