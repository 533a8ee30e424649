//! Bytes that are written but not flushed: kept per node, laid over everything that leaves.

mod node;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{
    Node, NodeId, Sequence, Timestamp,
    attributes::Pending,
    content::{Place, ReplayUpdate, replay_exclusions, slices::Part},
};
use dittofs_ports::Appended;
use node::Held;
use parking_lot::{Mutex, RwLock};

use super::{ledger::Claim, node_locks::NodeLock};
use crate::admission::Credits;
pub(super) use node::{Moved, NodePending, Replayed, TakenUp, Written};

/// Maps that share the nodes among them, so that threads seldom meet.
const SHARDS: usize = 64;
/// Ranges that are taken out of an index at once, some 300 µs of work: whoever looks at the node waits so long.
const RANGES_AT_ONCE: usize = 1_024;
/// Nodes share the version of their last change in so many slots. Who meets the version of another node reads once more,
/// nothing worse.
const VERSION_SLOTS: usize = 1_024;

/// A version of the index of all nodes, as of a seqlock: it rises with everything that leaves the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct IndexVersion(u64);

/// The guard of a writer of a seqlock: while it lives, readers of the node wait for its lock or start again.
#[derive(Debug)]
pub(super) struct WriteGuard(Arc<Mutex<NodePending>>);

impl Drop for WriteGuard {
    fn drop(&mut self) {
        self.0.lock().generation += 1;
    }
}

/// All nodes of a share that have something unflushed.
#[derive(Debug)]
pub(super) struct PendingNodes {
    shards: Vec<RwLock<HashMap<NodeId, Arc<Mutex<NodePending>>>>>,
    nodes: AtomicUsize,
    bytes: AtomicU64,
    /// The claim that a node begins with.
    nothing: Claim,
    /// Bytes that clients have ever written.
    filled: AtomicU64,
    /// Rises with everything that leaves an index.
    version: AtomicU64,
    /// The version of the last change of each node, or of another one of its slot.
    changed_last: Box<[AtomicU64]>,
}

impl PendingNodes {
    /// Bytes of records that were written before a time, and are not flushed yet.
    pub(super) fn bytes_from_before(&self, time: Duration) -> u64 {
        let of = |pending: &NodePending| {
            let old = pending.held.iter().filter(|held| held.at < time);
            old.map(|held| u64::from(held.length)).sum::<u64>()
        };
        self.nodes().iter().map(|(_, pending)| of(&pending.lock())).sum()
    }

    pub(super) fn new(nothing: Claim) -> PendingNodes {
        PendingNodes {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            nodes: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            nothing,
            filled: AtomicU64::new(0),
            version: AtomicU64::new(0),
            changed_last: (0..VERSION_SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The version now, for [`PendingNodes::unchanged_since`].
    pub(super) fn version(&self) -> IndexVersion {
        IndexVersion(self.version.load(Ordering::Acquire))
    }

    /// Returns what is shown of a node beside the stored state that was read after this version. Returns none if
    /// something has left the node's index since, or is about to: then the state that was read may not fit it.
    pub(super) fn unchanged_since(&self, node: NodeId, version: IndexVersion) -> Option<Option<Pending>> {
        let pending = match self.find(node) {
            None => None,
            Some(pending) => {
                let pending = pending.lock();
                pending.generation.is_multiple_of(2).then_some(Some(pending.shown))?
            }
        };
        // After the index: the version was raised before anything left it.
        (self.changed_last(node).load(Ordering::Acquire) <= version.0).then_some(pending)
    }

    /// Raises the version, as something is about to leave a node's index.
    fn bump_version(&self, node: NodeId) {
        let version = self.version.fetch_add(1, Ordering::AcqRel) + 1;
        self.changed_last(node).fetch_max(version, Ordering::AcqRel);
    }

    fn changed_last(&self, node: NodeId) -> &AtomicU64 {
        &self.changed_last[(node.0 % VERSION_SLOTS as u64) as usize]
    }

    /// Returns what is shown of a node beside the stored state. For callers that hold its lock.
    pub(super) fn snapshot(&self, node: NodeId) -> Option<Pending> {
        self.find(node).map(|pending| pending.lock().shown)
    }

    /// Checks whether anything of the node is unflushed.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.find(node).is_some()
    }

    /// The first place in the journal that a record of a node has. That of its oldest record may be behind others, where
    /// that is a copy.
    pub(super) fn first_place(&self, node: NodeId) -> Option<Place> {
        self.find(node)?.lock().held.iter().map(|held| held.appended.place).min()
    }

    /// Returns what is unflushed of a node, if anything.
    pub(super) fn find(&self, node: NodeId) -> Option<Arc<Mutex<NodePending>>> {
        if self.nodes.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.shard(node).read().get(&node).cloned()
    }

    /// The time to show for a write of a node that is done now: later than any that was shown before.
    pub(super) fn next_time(&self, stored: &Node, now: Timestamp) -> Timestamp {
        let shown = self.snapshot(stored.id).and_then(|pending| pending.shown);
        shown.map_or(stored.ctime, |(_, ctime)| ctime.max(stored.ctime)).advanced(now)
    }

    /// Takes a write of a node.
    pub(super) fn write(&self, lock: &NodeLock<'_>, stored: &Node, written: Written) {
        debug_assert_eq!(lock.node(), stored.id, "the lock of another node proves nothing");
        let pending = self.entry(stored.id);
        self.bytes.fetch_add(u64::from(written.length), Ordering::AcqRel);
        self.filled.fetch_add(u64::from(written.length), Ordering::AcqRel);
        pending.lock().write(stored, written);
    }

    /// Takes a record of the journal, before anybody is served.
    pub(super) fn replay(&self, stored: &Node, replayed: Replayed<'_>) {
        let pending = self.entry(stored.id);
        self.bytes.fetch_add(u64::from(replayed.length), Ordering::AcqRel);
        pending.lock().replay(stored, replayed);
    }

    /// Takes bytes that a node's map has itself, under its lock.
    pub(super) fn take_up(&self, stored: &Node, taken: TakenUp) {
        let pending = self.entry(stored.id);
        self.bytes.fetch_add(u64::from(taken.length), Ordering::AcqRel);
        pending.lock().take_up(stored, taken);
    }

    fn entry(&self, node: NodeId) -> Arc<Mutex<NodePending>> {
        let mut shard = self.shard(node).write();
        Arc::clone(shard.entry(node).or_insert_with(|| {
            self.nodes.fetch_add(1, Ordering::AcqRel);
            Arc::new(Mutex::new(NodePending::new(self.nothing.nothing())))
        }))
    }

    /// Whether the node's index is as it was at that generation; none: it had nothing unflushed at that version, which
    /// does not matter under the node's lock.
    pub(super) fn is_at(&self, node: NodeId, generation: Option<u64>, version: Option<IndexVersion>) -> bool {
        match (self.find(node), generation) {
            (Some(pending), Some(generation)) => pending.lock().generation == generation,
            // A record that came since is newer than the map that the reader saw. But where map and index have changed
            // together, that map says nothing of it any more.
            (_, None) => version.is_none_or(|version| self.unchanged_since(node, version).is_some()),
            (None, Some(_)) => false,
        }
    }

    /// Shows readers that the map and the index of a node change together until the guard is dropped.
    pub(super) fn write_guard(&self, lock: &NodeLock<'_>) -> Option<WriteGuard> {
        let pending = self.find(lock.node())?;
        pending.lock().generation += 1;
        Some(WriteGuard(pending))
    }

    /// Whether it is not known if bytes of a node's index were removed from the file.
    pub(super) fn is_uncertain(&self, node: NodeId) -> bool {
        self.find(node).is_some_and(|pending| pending.lock().is_uncertain)
    }

    /// Records whether that is known of a node: not from when a plan is sent that removes bytes of it. Whoever waits
    /// for the plan may go away, and it is applied all the same.
    pub(super) fn set_uncertain(&self, lock: &NodeLock<'_>, is_uncertain: bool) {
        if let Some(pending) = self.find(lock.node()) {
            pending.lock().is_uncertain = is_uncertain;
        }
    }

    /// Returns how a truncation changes the replay of a node's records. The node is locked.
    pub(super) fn replay_of_truncated(&self, stored: &Node, size: u64) -> ReplayUpdate {
        let Some(pending) = self.find(stored.id) else { return ReplayUpdate::default() };
        let pending = pending.lock();
        if pending.highest == Sequence(0) {
            return ReplayUpdate::default();
        }
        let left = pending.slices.iter().next().is_some_and(|first| first.offset < size);
        replay_exclusions::truncated(&stored.replay_exclusions, pending.highest, size, left, size < pending.shown.size)
    }

    /// Returns how a plan that replaces a range changes the replay of a node's records. The node is locked.
    pub(super) fn replay_of_replaced(&self, stored: &Node, range: Range<u64>) -> ReplayUpdate {
        let Some(pending) = self.find(stored.id) else { return ReplayUpdate::default() };
        let pending = pending.lock();
        if pending.highest == Sequence(0) {
            return ReplayUpdate::default();
        }
        let first = pending.slices.iter().next();
        let left = first.is_some_and(|first| first.offset < range.start) || pending.slices.end() > range.end;
        // Also records that are flushed already: as long as one of their file is not, they are read again.
        let is_there = |held: &Held| held.offset < range.end && held.end() > range.start;
        let takes = pending.held.iter().any(is_there);
        replay_exclusions::replaced(&stored.replay_exclusions, pending.highest, range, left, takes)
    }

    /// Forgets a range of a node, whose size is now this; answers the records of which nothing is left.
    pub(super) fn replaced(&self, lock: &NodeLock<'_>, range: Range<u64>, size: u64) -> Vec<Appended> {
        let node = lock.node();
        let Some(pending) = self.find(node) else { return Vec::new() };
        self.bump_version(node);
        {
            let mut pending = pending.lock();
            pending.slices.punch(range);
            pending.shown.size = pending.shown.size.max(size);
            pending.count_bytes();
            if !pending.slices.is_empty() {
                return Vec::new();
            }
        }
        self.take(node)
    }

    /// Whether anything of a range of a node is unflushed.
    pub(super) fn has_slices(&self, node: NodeId, range: Range<u64>) -> bool {
        let is_slice = |part: &Part| matches!(part, Part::Slice(_));
        self.find(node).is_some_and(|pending| pending.lock().slices.read_some(range, 2).iter().any(is_slice))
    }

    /// Truncates a node's index at its new size; answers the records of which nothing is left.
    pub(super) fn truncate(&self, lock: &NodeLock<'_>, size: u64) -> Vec<Appended> {
        let node = lock.node();
        let Some(pending) = self.find(node) else { return Vec::new() };
        self.bump_version(node);
        {
            let mut pending = pending.lock();
            pending.slices.truncate(size);
            pending.shown.size = size;
            pending.count_bytes();
            if !pending.slices.is_empty() {
                return Vec::new();
            }
        }
        self.take(node)
    }

    /// Takes what a flush has published out of a node's index; answers the records that are done.
    pub(super) fn flushed(
        &self,
        lock: &NodeLock<'_>,
        ranges: &[Range<u64>],
        up_to: Sequence,
        done: Sequence,
    ) -> Vec<Appended> {
        let node = lock.node();
        let Some(pending) = self.find(node) else { return Vec::new() };
        let mut freed = Vec::new();
        self.bump_version(node);
        // Others that look at the node in between start again: it is marked as changing.
        for some in ranges.chunks(RANGES_AT_ONCE) {
            pending.lock().slices.remove(some, up_to);
        }
        let empty = {
            let mut pending = pending.lock();
            pending.count_bytes();
            if pending.slices.is_empty() {
                true
            } else {
                let (gone, kept): (Vec<Held>, Vec<Held>) = std::mem::take(&mut pending.held)
                    .into_iter()
                    .partition(|held: &Held| held.appended.sequence <= done);
                pending.since = kept.first().map_or(pending.since, |held| held.at);
                pending.held = kept;
                freed = gone;
                false
            }
        };
        if empty {
            return self.take(node);
        }
        self.freed(&freed);
        freed.iter().map(|held| held.appended).collect()
    }

    /// Bytes that clients have written since the share was opened.
    pub(super) fn filled(&self) -> u64 {
        self.filled.load(Ordering::Acquire)
    }

    /// Unflushed bytes of a node.
    pub(super) fn bytes_of(&self, node: NodeId) -> u64 {
        self.find(node).map_or(0, |pending| pending.lock().slices.bytes())
    }

    /// Puts other records in the place of all of a node; answers the old ones. Readers of those start
    /// again.
    pub(super) fn moved_records(
        &self,
        lock: &NodeLock<'_>,
        mut moved: Vec<Moved>,
        credits: impl Fn(usize) -> Option<Credits>,
    ) -> Vec<Appended> {
        let node = lock.node();
        let Some(pending) = self.find(node) else { return moved.iter().map(|moved| moved.appended).collect() };
        self.bump_version(node);
        let bytes = moved.iter().map(|moved| u64::from(moved.length)).sum();
        let mut pending = pending.lock();
        pending.generation += 2;
        // The old ones give theirs back first.
        pending.held.iter_mut().for_each(|held| drop(held._credits.take()));
        moved.iter_mut().for_each(|moved| moved.credits = credits(moved.length as usize));
        let old = pending.move_to(moved);
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.freed(&old);
        old.iter().map(|held| held.appended).collect()
    }

    /// Takes lost records out of a node's index, so that what they covered counts again; answers the records of which
    /// nothing is left. Whoever reads the node meanwhile starts again. Nobody needs the node's lock for that: none where
    /// what is stored was read before a plan that changed the index, or one is about to.
    pub(super) fn lose(&self, stored: &Node, lost: &[Sequence], version: IndexVersion) -> Option<Vec<Appended>> {
        let Some(pending) = self.find(stored.id) else { return Some(Vec::new()) };
        let gone = {
            let mut pending = pending.lock();
            if !pending.held.iter().any(|held| lost.contains(&held.appended.sequence)) {
                return Some(Vec::new());
            }
            let has_changed = self.changed_last(stored.id).load(Ordering::Acquire) > version.0;
            if has_changed || !pending.generation.is_multiple_of(2) {
                return None;
            }
            self.bump_version(stored.id);
            pending.generation += 2;
            pending.lose(stored, lost)
        };
        self.freed(&gone);
        Some(gone.iter().map(|held| held.appended).collect())
    }

    /// Makes a node's index fit what is stored: for when it is not known whether a plan that removed bytes of the file
    /// was applied. Answers the records of which nothing is left.
    pub(super) fn fit(&self, lock: &NodeLock<'_>, stored: &Node) -> Vec<Appended> {
        debug_assert_eq!(lock.node(), stored.id, "the lock of another node proves nothing");
        let Some(pending) = self.find(stored.id) else { return Vec::new() };
        self.bump_version(stored.id);
        {
            let mut pending = pending.lock();
            pending.lose(stored, &[]);
            pending.is_uncertain = false;
            if !pending.slices.is_empty() {
                return Vec::new();
            }
            // The change and the ctime that clients were shown for a record that is lost must not go back.
            if pending.shown.shown.is_some_and(|(change, _)| change > stored.change) {
                let held = std::mem::take(&mut pending.held);
                self.freed(&held);
                return held.iter().map(|held| held.appended).collect();
            }
        }
        self.take(stored.id)
    }

    /// The newest record that a node has ever had since something of it is unflushed.
    pub(super) fn highest(&self, node: NodeId) -> Option<Sequence> {
        self.find(node).map(|pending| pending.lock().highest)
    }

    /// Forgets a node of which nothing is left in the index; answers its records.
    pub(super) fn take_empty(&self, lock: &NodeLock<'_>) -> Vec<Appended> {
        let is_empty = self.find(lock.node()).is_some_and(|pending| pending.lock().slices.is_empty());
        if is_empty { self.take(lock.node()) } else { Vec::new() }
    }

    /// Forgets a node; answers its records.
    pub(super) fn take(&self, node: NodeId) -> Vec<Appended> {
        self.bump_version(node);
        let Some(pending) = self.shard(node).write().remove(&node) else { return Vec::new() };
        self.nodes.fetch_sub(1, Ordering::AcqRel);
        let mut pending = pending.lock();
        // Who found it before it was removed from here must not take it for the node's present state.
        pending.generation += 2;
        pending.slices.clear();
        pending.claim.set(0);
        let held = std::mem::take(&mut pending.held);
        self.freed(&held);
        held.iter().map(|held| held.appended).collect()
    }

    /// Takes records off the sum of unflushed bytes.
    fn freed(&self, held: &[Held]) {
        self.bytes.fetch_sub(held.iter().map(|held| u64::from(held.length)).sum(), Ordering::AcqRel);
    }

    /// Nodes that have something unflushed, in the order of their ids.
    pub(super) fn nodes(&self) -> Vec<(NodeId, Arc<Mutex<NodePending>>)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.read().iter().map(|(node, pending)| (*node, Arc::clone(pending))));
        }
        all.sort_unstable_by_key(|(node, _)| *node);
        all
    }

    /// Unflushed bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    fn shard(&self, node: NodeId) -> &RwLock<HashMap<NodeId, Arc<Mutex<NodePending>>>> {
        &self.shards[(node.0 % SHARDS as u64) as usize]
    }
}
