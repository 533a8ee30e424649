//! Who watches which directory of a share, and what is kept for each.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use dittofs_domain::{
    ClientId, Credentials, NodeId,
    error::{FsError, FsResult},
    watch::{ChangeKinds, ChangeRecord, Taken, WatchBuffer},
};
use dittofs_ports::{Caller, ChangeListener, Watch, WatchReply, WatchRequest};
use parking_lot::Mutex;

/// Watches of a share. Each change goes through those of one directory and of those above.
const WATCHES_MAX: usize = 16_384;
/// Watches of one client: a quarter, so that one does not take all places.
const WATCHES_PER_CLIENT: usize = 4_096;
/// Bytes of changes that are kept for all watchers of a share, as they are sent: short names take six times as much
/// memory. Beyond that watchers list anew.
const BYTES_MAX: usize = 8 << 20;
/// Beside the kinds that are asked for: somebody watches, whatever for.
const ANY: u32 = 1 << 31;

/// The watchers.
#[derive(Default)]
pub(super) struct WatchTable {
    /// The kinds that anybody asks for, and [`ANY`].
    wanted: AtomicU32,
    /// Bytes that are kept.
    bytes: AtomicUsize,
    /// Rises whenever a watcher comes or takes something.
    generation: AtomicU64,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
struct Watchers {
    by_directory: HashMap<NodeId, Vec<Arc<Watched>>>,
    by_client: HashMap<ClientId, usize>,
    all: usize,
    trees: usize,
    /// How many ask for each kind, by its bit.
    by_kind: [usize; 32],
    has_ended: bool,
}

/// A watcher of a directory.
pub(super) struct Watched {
    directory: NodeId,
    request: WatchRequest,
    client: ClientId,
    /// Who is told, and may see only what these may.
    pub(super) credentials: Credentials,
    listener: Arc<dyn ChangeListener>,
    kept: Mutex<Kept>,
}

/// The changes that a watcher has not taken yet.
struct Kept {
    buffer: WatchBuffer,
    is_removed: bool,
    has_ended: bool,
    /// Whether the listener knows that there is something.
    is_told: bool,
}

/// A watcher's place in the table, which it leaves by its drop.
struct Watching {
    table: Arc<WatchTable>,
    watched: Arc<Watched>,
}

impl Watched {
    pub(super) fn new(
        caller: &Caller,
        directory: NodeId,
        request: &WatchRequest,
        listener: Arc<dyn ChangeListener>,
    ) -> Watched {
        let buffer = WatchBuffer::new(request.bytes_max);
        let kept = Mutex::new(Kept { buffer, is_removed: false, has_ended: false, is_told: false });
        let (client, credentials) = (caller.client, caller.credentials.clone());
        Watched { directory, request: *request, client, credentials, listener, kept }
    }

    fn wants(&self, kinds: ChangeKinds) -> bool {
        self.request.kinds.intersects(kinds)
    }
}

impl WatchTable {
    /// Adds a watcher.
    ///
    /// # Errors
    /// `NoSpace`; `Stale` once all were ended.
    pub(super) fn add(table: &Arc<WatchTable>, watched: Watched) -> FsResult<Arc<dyn Watch>> {
        let watched = Arc::new(watched);
        let mut watchers = table.watchers.lock();
        if watchers.has_ended {
            return Err(FsError::Stale);
        }
        let of_client = watchers.by_client.get(&watched.client).copied().unwrap_or_default();
        if watchers.all >= WATCHES_MAX || of_client >= WATCHES_PER_CLIENT {
            return Err(FsError::NoSpace);
        }
        watchers.count(&watched, 1);
        watchers.by_directory.entry(watched.directory).or_default().push(Arc::clone(&watched));
        table.wanted.store(watchers.wanted(), Ordering::Release);
        table.generation.fetch_add(1, Ordering::AcqRel);
        Ok(Arc::new(Watching { table: Arc::clone(table), watched }))
    }

    fn remove(&self, watched: &Arc<Watched>) {
        let mut watchers = self.watchers.lock();
        watchers.count(watched, -1);
        if let Some(of_directory) = watchers.by_directory.get_mut(&watched.directory) {
            of_directory.retain(|other| !Arc::ptr_eq(other, watched));
            if of_directory.is_empty() {
                watchers.by_directory.remove(&watched.directory);
            }
        }
        self.wanted.store(watchers.wanted(), Ordering::Release);
        drop(watchers);
        let mut kept = watched.kept.lock();
        self.changed(&mut kept, |buffer| drop(buffer.take()));
        // Somebody may be about to tell it of something.
        kept.has_ended = true;
    }

    /// Whether nobody watches. One atomic load.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.load(Ordering::Acquire) == 0
    }

    /// Whether anybody asks for one of these kinds. One atomic load.
    pub(super) fn wants(&self, kinds: ChangeKinds) -> bool {
        self.wanted.load(Ordering::Acquire) & kinds.bits() != 0
    }

    /// Whoever has been told of something in a generation has it as long as the generation lasts.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Those who watch a directory for these kinds, and whether anybody watches the tree of any.
    pub(super) fn watchers(&self, directory: NodeId, kinds: ChangeKinds) -> (Vec<Arc<Watched>>, bool) {
        let watchers = self.watchers.lock();
        (watchers.of(directory, |watched| watched.wants(kinds)), watchers.trees > 0)
    }

    /// Those who watch the tree of a directory for these kinds.
    pub(super) fn trees(&self, directory: NodeId, kinds: ChangeKinds) -> Vec<Arc<Watched>> {
        self.watchers.lock().of(directory, |watched| watched.request.tree && watched.wants(kinds))
    }

    /// The last of these directories whose tree is watched.
    pub(super) fn topmost_tree(&self, directories: &[NodeId]) -> Option<usize> {
        let watchers = self.watchers.lock();
        directories.iter().rposition(|directory| {
            watchers.by_directory.get(directory).is_some_and(|all| all.iter().any(|watched| watched.request.tree))
        })
    }

    /// Keeps changes for a watcher, which it takes together.
    pub(super) fn push(&self, watched: &Watched, records: &[ChangeRecord]) {
        self.tell(watched, |kept| {
            self.changed(kept, |buffer| records.iter().for_each(|record| buffer.push(record)));
            if self.bytes.load(Ordering::Acquire) > BYTES_MAX {
                self.changed(kept, WatchBuffer::overflow);
            }
        });
    }

    /// Has all who ask for one of these kinds list anew: they can't be told what has changed.
    pub(super) fn overflow(&self, kinds: ChangeKinds) {
        for watched in self.all().iter().filter(|watched| watched.wants(kinds)) {
            self.tell(watched, |kept| self.changed(kept, WatchBuffer::overflow));
        }
    }

    /// The same for those who watch trees.
    pub(super) fn overflow_trees(&self, kinds: ChangeKinds) {
        for watched in self.all().iter().filter(|watched| watched.request.tree && watched.wants(kinds)) {
            self.tell(watched, |kept| self.changed(kept, WatchBuffer::overflow));
        }
    }

    /// A directory has lost its name, or is about to; or keeps it after all.
    pub(super) fn set_removed(&self, directory: NodeId, is_removed: bool) {
        if self.is_empty() {
            return;
        }
        let watchers = self.watchers.lock().of(directory, |_| true);
        for watched in watchers {
            self.tell(&watched, |kept| kept.is_removed = is_removed);
        }
    }

    /// Ends all, and takes no more.
    pub(super) fn end(&self) {
        self.watchers.lock().has_ended = true;
        for watched in self.all() {
            self.tell(&watched, |kept| kept.has_ended = true);
        }
    }

    fn all(&self) -> Vec<Arc<Watched>> {
        self.watchers.lock().by_directory.values().flatten().cloned().collect()
    }

    /// Changes what is kept for a watcher, and tells its listener if it knows of nothing yet.
    fn tell(&self, watched: &Watched, change: impl FnOnce(&mut Kept)) {
        let mut kept = watched.kept.lock();
        if kept.has_ended {
            return;
        }
        change(&mut kept);
        let has_something = kept.has_ended || kept.is_removed || kept.buffer.has_something();
        if has_something && !std::mem::replace(&mut kept.is_told, true) {
            drop(kept);
            watched.listener.changed();
        }
    }

    /// Changes a buffer, and counts its bytes.
    fn changed<T>(&self, kept: &mut Kept, change: impl FnOnce(&mut WatchBuffer) -> T) -> T {
        let before = kept.buffer.bytes();
        let value = change(&mut kept.buffer);
        let after = kept.buffer.bytes();
        self.bytes.fetch_add(after.saturating_sub(before), Ordering::AcqRel);
        self.bytes.fetch_sub(before.saturating_sub(after), Ordering::AcqRel);
        value
    }
}

impl Watchers {
    fn of(&self, directory: NodeId, wanted: impl Fn(&Watched) -> bool) -> Vec<Arc<Watched>> {
        let found = self.by_directory.get(&directory).into_iter().flatten();
        found.filter(|watched| wanted(watched)).cloned().collect()
    }

    /// Counts a watcher that comes or goes.
    fn count(&mut self, watched: &Watched, by: isize) {
        let add = |count: &mut usize| *count = count.saturating_add_signed(by);
        add(&mut self.all);
        if watched.request.tree {
            add(&mut self.trees);
        }
        let bits = watched.request.kinds.bits();
        self.by_kind.iter_mut().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).for_each(|(_, count)| add(count));
        let of_client = self.by_client.entry(watched.client).or_default();
        add(of_client);
        if *of_client == 0 {
            self.by_client.remove(&watched.client);
        }
    }

    /// All kinds that are asked for.
    fn wanted(&self) -> u32 {
        let kinds = self.by_kind.iter().enumerate().filter(|(_, count)| **count > 0);
        kinds.fold(if self.all > 0 { ANY } else { 0 }, |all, (bit, _)| all | 1 << bit)
    }
}

impl Watch for Watching {
    fn take(&self) -> WatchReply {
        // Before anything is taken: see `Repeats`.
        self.table.generation.fetch_add(1, Ordering::AcqRel);
        let mut kept = self.watched.kept.lock();
        if kept.has_ended {
            return WatchReply::Ended;
        }
        kept.is_told = false;
        if kept.is_removed {
            return WatchReply::Removed;
        }
        match self.table.changed(&mut kept, WatchBuffer::take) {
            Taken::Nothing => WatchReply::Nothing,
            Taken::Changes(records) => WatchReply::Changes(records),
            Taken::Overflowed => WatchReply::Overflowed,
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.table.remove(&self.watched);
    }
}

#[cfg(test)]
mod tests;
