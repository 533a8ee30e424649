//! Files whose unflushed bytes can't be published, because something of the file itself is damaged: a row of its map,
//! or its own row. Their records are *set aside*: everything else of the share goes on, and they wait in the journal
//! until the file is repaired or removed.
//!
//! A journal gives room back in the order in which it was filled, so a record that stays would in the end keep all of
//! it. So these records are written again at the journal's end now and then, and the old ones given up. Where a file
//! has an index, what that has is written under new numbers. Where it has none, as its own row is damaged, nobody
//! knows what was published or removed of a record: it is copied, and keeps its number, by which a replay judges that
//! when the row can be read again. A file that is set aside takes no more writes, or there would be more and more of
//! them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use dittofs_domain::{
    NodeId,
    content::Place,
    error::{FsError, FsResult},
};
use dittofs_ports::{Appended, Record};
use parking_lot::Mutex;

use crate::volume::{share::is_of_file, write_back::WriteBack};

/// So often publishing must fail before a file is set aside: a store may answer badly once.
pub(in crate::volume) const FAILURES_MAX: u32 = 3;
/// How often a file that is set aside is tried again. Whoever repairs the store or the row waits no longer for it, and
/// each try costs a flush that fails.
const RETRY: Duration = Duration::from_secs(60);
/// Records are written again once this part of the journal was filled since. Smaller parts would write them more often.
pub(super) const PART_FILLED: u64 = 8;
/// How long nothing is written again after it was tried. Each time writes all that is set aside.
const PAUSE: Duration = Duration::from_secs(5);
/// Besides what is set aside, this part of the journal is kept for writing it again: a journal is given room by
/// segments, of which it has at least four.
const PART_KEPT: u64 = 4;

/// The failures of a file that could not be published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failing {
    pub(super) failures: u32,
    /// When it is tried again, on the monotonic clock.
    pub(super) next: Duration,
    pub(super) moved: LastMove,
}

/// When records were written again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastMove {
    /// How much clients had written by then.
    pub(super) filled: u64,
    /// When that was tried, on the monotonic clock.
    pub(super) tried: Option<Duration>,
}

/// How full the journal is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling {
    /// How much clients have written in all.
    pub(super) filled: u64,
    /// How much of that is worth writing records again.
    pub(super) part: u64,
    /// The first place in the journal of a file that is not set aside, where clients wait for room: what is before it
    /// holds them up. They may wait before so much is written, with many small records.
    pub(super) waits_behind: Option<Place>,
    /// The time, on the monotonic clock.
    pub(super) now: Duration,
}

impl LastMove {
    /// Whether records are to be written again, the first of which is here.
    pub(super) fn is_due(&self, first: Option<Place>, filling: &Filling) -> bool {
        let holds_up = filling.waits_behind.zip(first).is_some_and(|(waiting, first)| first < waiting);
        let is_worth_it = holds_up || filling.filled.saturating_sub(self.filled) >= filling.part;
        is_worth_it && self.tried.is_none_or(|tried| filling.now >= tried + PAUSE)
    }

    /// Notes that it was tried. Where it failed it is due again after the pause.
    pub(super) fn note(&mut self, filling: &Filling, is_done: bool) {
        self.tried = Some(filling.now);
        if is_done {
            self.filled = filling.filled;
        }
    }
}

impl Failing {
    pub(super) fn is_aside(&self) -> bool {
        self.failures >= FAILURES_MAX
    }
}

/// A record that a start has found of a file whose own row is damaged: it is in no index.
#[derive(Clone, Debug)]
pub(super) struct Unplaced {
    pub(super) appended: Appended,
    pub(super) length: u32,
    /// Without its data, which stay in the journal.
    pub(super) record: Record,
}

/// The files that could not be published.
#[derive(Debug, Default)]
pub(in crate::volume) struct Aside {
    pub(super) files: Mutex<BTreeMap<NodeId, Failing>>,
    pub(super) unplaced: Mutex<Vec<Unplaced>>,
    pub(super) unplaced_moved: Mutex<LastMove>,
    /// Those that are set aside, and records without an index: asked for by each write.
    count: AtomicUsize,
}

impl Aside {
    /// Keeps a record of a file whose own row is damaged.
    pub(in crate::volume) fn keep(&self, appended: Appended, record: &Record) {
        let (length, record) = (record.data.len() as u32, Record { data: Bytes::new(), ..record.clone() });
        self.unplaced.lock().push(Unplaced { appended, length, record });
        self.count(&self.files.lock());
    }

    /// Whether any file is set aside.
    pub(in crate::volume) fn is_any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Whether a file is set aside.
    pub(in crate::volume) fn has(&self, node: NodeId) -> bool {
        self.is_any() && self.files.lock().get(&node).is_some_and(Failing::is_aside)
    }

    /// Whether records of a file are in no index. They are judged by their numbers when the journal is read again, so that
    /// no change of the content may be published before.
    fn has_unplaced(&self, node: NodeId) -> bool {
        self.is_any() && self.unplaced.lock().iter().any(|one| one.record.node == node)
    }

    /// Whether a file is set aside, and not to be tried yet.
    pub(in crate::volume) fn waits(&self, node: NodeId, now: Duration) -> bool {
        self.is_any() && self.files.lock().get(&node).is_some_and(|failing| failing.is_aside() && now < failing.next)
    }

    /// Files that are set aside.
    pub(in crate::volume) fn nodes(&self) -> Vec<NodeId> {
        self.files.lock().iter().filter(|(_, failing)| failing.is_aside()).map(|(node, _)| *node).collect()
    }

    /// Notes that a file was published; nothing of it may be left, or its last failure must be long ago. Answers whether
    /// it was set aside.
    pub(super) fn over(&self, node: NodeId, is_empty: bool, now: Duration) -> bool {
        let mut files = self.files.lock();
        if files.get(&node).is_none_or(|failing| !is_empty && now < failing.next) {
            return false;
        }
        let was_aside = files.remove(&node).is_some_and(|failing| failing.is_aside());
        self.count(&files);
        was_aside
    }

    /// Forgets a file of which nothing is left.
    pub(in crate::volume) fn forget(&self, node: NodeId) {
        if self.is_any() {
            let mut files = self.files.lock();
            files.remove(&node);
            self.count(&files);
        }
    }

    /// Notes that a file could not be published; answers whether it is set aside by that.
    pub(super) fn failed(&self, node: NodeId, now: Duration, filled: u64) -> bool {
        let mut files = self.files.lock();
        let moved = LastMove { filled, tried: None };
        let failing = files.entry(node).or_insert(Failing { failures: 0, next: now, moved });
        failing.failures = failing.failures.saturating_add(1);
        failing.next = now + RETRY;
        let is_new = failing.failures == FAILURES_MAX;
        self.count(&files);
        is_new
    }

    pub(super) fn count(&self, files: &BTreeMap<NodeId, Failing>) {
        let aside = files.values().filter(|failing| failing.is_aside()).count();
        self.count.store(aside + self.unplaced.lock().len(), Ordering::Release);
    }
}

impl WriteBack {
    /// Notes what became of a file in a flush.
    pub(in crate::volume) async fn note_published(&self, node: NodeId, result: &FsResult<()>) {
        match result {
            Ok(()) => {
                if self.aside.over(node, !self.nodes.pending().has(node), self.share.monotonic()) {
                    tracing::info!(share = %self.share.name(), %node, "a file that was set aside is in its content store now");
                }
            }
            Err(error) if is_of_file(*error) => {
                // Bytes that were written before count as well: the file's records may be the oldest ones.
                let filled = self.nodes.pending().filled().saturating_sub(self.journal.usage().used);
                if self.aside.failed(node, self.share.monotonic(), filled) {
                    self.report_aside(node).await;
                }
            }
            Err(_) => {}
        }
    }

    async fn report_aside(&self, node: NodeId) {
        let (file, bytes) = (self.nodes.file(node).await, self.nodes.pending().bytes_of(node));
        tracing::error!(
            share = %self.share.name(), %node, %file, bytes,
            "what was written to this file can't be put into its map, which is damaged: it is set aside in the journal, and \
             the file takes no writes; everything else goes on. Run `dittofs check`; removing the file gives the bytes up"
        );
    }

    /// Says that not everything is flushed where something is set aside.
    pub(crate) fn demand_none_aside(&self) -> FsResult<()> {
        if self.aside_bytes() > 0 { Err(FsError::Io) } else { Ok(()) }
    }

    /// Refuses writes to a file that is set aside.
    pub(in crate::volume) fn demand_not_aside(&self, node: NodeId) -> FsResult<()> {
        if self.aside.has(node) { Err(FsError::Io) } else { self.demand_placed(node) }
    }

    /// Refuses any change of the content of a file of which records are in no index: its row can be read again, but
    /// no replay exclusion could cover them, and they would pass for published once something newer is.
    pub(in crate::volume) fn demand_placed(&self, node: NodeId) -> FsResult<()> {
        if self.aside.has_unplaced(node) { Err(FsError::Io) } else { Ok(()) }
    }

    /// Says which files a server that stops leaves in its journal.
    pub(in crate::volume) async fn report_left(&self) {
        for node in self.aside.nodes() {
            let (file, bytes) = (self.nodes.file(node).await, self.nodes.pending().bytes_of(node));
            tracing::error!(
                share = %self.share.name(), %node, %file, bytes,
                "these bytes could not be put into the file's map, which is damaged: they are left in the share's journal"
            );
        }
    }

    /// The files that have bytes which are set aside.
    pub(in crate::volume) async fn files_aside(&self) -> Vec<String> {
        let nodes = self.aside.nodes().into_iter().filter(|node| self.nodes.pending().bytes_of(*node) > 0);
        let mut nodes: BTreeSet<NodeId> = nodes.collect();
        nodes.extend(self.aside.unplaced.lock().iter().map(|one| one.record.node));
        let mut files = Vec::with_capacity(nodes.len());
        for node in nodes {
            files.push(self.nodes.file(node).await);
        }
        files
    }

    /// Bytes that are set aside.
    pub(in crate::volume) fn aside_bytes(&self) -> u64 {
        let unplaced = self.aside.unplaced.lock().iter().map(|one| u64::from(one.length)).sum::<u64>();
        let nodes = self.aside.nodes();
        nodes.into_iter().map(|node| self.nodes.pending().bytes_of(node)).sum::<u64>() + unplaced
    }

    /// Whether the journal has room for a write beside what may have to be written again.
    pub(in crate::volume) fn has_journal_room(&self) -> bool {
        if !self.aside.is_any() {
            return true;
        }
        let usage = self.journal.usage();
        let kept =
            self.aside_bytes().saturating_add(usage.limit / PART_KEPT).min(usage.limit - usage.limit / PART_FILLED);
        usage.used <= usage.limit - kept
    }

    /// The first place in the journal of what a flush will take.
    pub(in crate::volume) fn first_not_aside(&self) -> Place {
        let nodes =
            self.nodes.pending().nodes().into_iter().map(|(node, _)| node).filter(|node| !self.aside.has(*node));
        nodes
            .filter_map(|node| self.nodes.pending().first_place(node))
            .min()
            .unwrap_or(Place { segment: u64::MAX, at: 0 })
    }
}
