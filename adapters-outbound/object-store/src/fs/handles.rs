//! Objects that are kept open. Objects never change, so an open file stays good until its object is deleted.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dittofs_domain::{ObjectId, ShareId};
use parking_lot::RwLock;

/// An open object.
pub(super) struct Handle {
    pub(super) file: File,
    pub(super) length: u64,
}

type Key = (ShareId, ObjectId);

/// A bounded number of open objects; which one goes is decided by second chance.
pub(super) struct Handles {
    open: RwLock<Open>,
    max: usize,
}

#[derive(Default)]
struct Open {
    handles: HashMap<Key, Entry>,
    /// Keys in the order in which they are looked at when one must go; also of objects that were forgotten.
    order: VecDeque<Key>,
    /// Objects that were forgotten so far.
    forgotten: u64,
}

struct Entry {
    handle: Arc<Handle>,
    used: AtomicBool,
}

/// How many objects were forgotten before one was opened.
#[derive(Clone, Copy)]
pub(super) struct Before(u64);

impl Handles {
    pub(super) fn new(max: usize) -> Handles {
        Handles { open: RwLock::default(), max }
    }

    pub(super) fn find(&self, share: ShareId, object: ObjectId) -> Option<Arc<Handle>> {
        let open = self.open.read();
        let entry = open.handles.get(&(share, object))?;
        entry.used.store(true, Ordering::Relaxed);
        Some(Arc::clone(&entry.handle))
    }

    /// To be called before a file is opened that shall be kept.
    pub(super) fn before(&self) -> Before {
        Before(self.open.read().forgotten)
    }

    /// Keeps an open file, unless an object was forgotten since it was opened: it may be this one.
    pub(super) fn keep(&self, share: ShareId, object: ObjectId, handle: &Arc<Handle>, before: Before) {
        let mut evicted = Vec::new();
        let mut open = self.open.write();
        if open.forgotten != before.0 || self.max == 0 || open.handles.contains_key(&(share, object)) {
            return;
        }
        while open.order.len() >= self.max {
            evicted.extend(open.evict());
        }
        let entry = Entry { handle: Arc::clone(handle), used: AtomicBool::new(false) };
        open.handles.insert((share, object), entry);
        open.order.push_back((share, object));
        // Files are closed here, after the lock.
        drop(open);
        drop(evicted);
    }

    /// To be called after an object is removed.
    pub(super) fn forget(&self, share: ShareId, object: ObjectId) {
        let mut open = self.open.write();
        open.forgotten += 1;
        let entry = open.handles.remove(&(share, object));
        if entry.is_some() {
            open.order.retain(|key| *key != (share, object));
        }
        drop(open);
        drop(entry);
    }
}

impl Open {
    /// Lets go of the first one that was not used since it was looked at last.
    fn evict(&mut self) -> Option<Entry> {
        let key = self.order.pop_front()?;
        if self.handles.get(&key)?.used.swap(false, Ordering::Relaxed) {
            self.order.push_back(key);
            return None;
        }
        self.handles.remove(&key)
    }
}

#[cfg(test)]
mod tests;
