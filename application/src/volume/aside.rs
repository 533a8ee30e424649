//! Files whose unflushed bytes can't be published, because something of the file itself is damaged: a row of its map,
//! or its own row. Their records are *set aside*: everything else of the share goes on, and they wait in the journal
//! until the file is mended or removed.
//!
//! A journal gives room back in the order in which it was filled, so a record that stays would in the end keep all of
//! it. So these records are written again at the journal's end now and then, and the old ones given up. Where a file has
//! an index, what that has is written under new numbers. Where it has none, as its own row is damaged, nobody knows what
//! was published or cut of a record: it is copied, and keeps its number, by which a replay judges that when the row can
//! be read again. A file that is set aside takes no more writes, or there would be more and more of them.

mod copies;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use dittofs_domain::{
    Node, NodeId, Sequence,
    content::Place,
    error::{FsError, FsResult},
    plan::Query,
};
use dittofs_ports::{Appended, JournalError, Record, Survives};
use parking_lot::Mutex;

use super::{
    Volume,
    pending::{Moved, NodePending},
};

/// So often publishing must fail before a file is set aside: a store may answer badly once.
pub(super) const FAILURES_MAX: u32 = 3;
/// How often a file that is set aside is tried again.
const RETRY: Duration = Duration::from_secs(60);
/// Records are written again once this part of the journal was filled since. Smaller parts would write them more often.
const PART_FILLED: u64 = 8;
/// How long nothing is written again after it was tried.
const PAUSE: Duration = Duration::from_secs(5);
/// Besides what is set aside, this part of the journal is kept for writing it again: a journal is given room by
/// segments, of which it has at least four.
const PART_KEPT: u64 = 4;

/// What is known of a file that could not be published.
#[derive(Clone, Copy, Debug)]
struct Failing {
    failures: u32,
    /// When it is tried again, on the monotonic clock.
    next: Duration,
    moved: LastMove,
}

/// When records were written again.
#[derive(Clone, Copy, Debug, Default)]
struct LastMove {
    /// How much clients had written by then.
    filled: u64,
    /// When that was tried, on the monotonic clock.
    tried: Option<Duration>,
}

/// How full the journal is.
#[derive(Clone, Copy, Debug)]
struct Filling {
    /// How much clients have written in all.
    filled: u64,
    /// How much of that is worth writing records again.
    part: u64,
    /// The first place in the journal of a file that is not set aside, where clients wait for room: what is before it
    /// holds them up. They may wait before so much is written, with many small records.
    waits_behind: Option<Place>,
    /// The time, on the monotonic clock.
    now: Duration,
}

impl LastMove {
    /// Whether records are to be written again, the first of which is here.
    fn is_due(&self, first: Option<Place>, filling: &Filling) -> bool {
        let holds_up = filling.waits_behind.zip(first).is_some_and(|(waiting, first)| first < waiting);
        let is_worth_it = holds_up || filling.filled.saturating_sub(self.filled) >= filling.part;
        is_worth_it && self.tried.is_none_or(|tried| filling.now >= tried + PAUSE)
    }

    /// Notes that it was tried. Where it failed it is due again after the pause.
    fn note(&mut self, filling: &Filling, is_done: bool) {
        self.tried = Some(filling.now);
        if is_done {
            self.filled = filling.filled;
        }
    }
}

impl Failing {
    fn is_aside(&self) -> bool {
        self.failures >= FAILURES_MAX
    }
}

/// A record that a start has found of a file whose own row is damaged: it is in no index.
#[derive(Clone, Debug)]
struct Unplaced {
    appended: Appended,
    length: u32,
    /// Without its data, which stay in the journal.
    record: Record,
}

/// The files that could not be published.
#[derive(Debug, Default)]
pub(super) struct Aside {
    files: Mutex<BTreeMap<NodeId, Failing>>,
    unplaced: Mutex<Vec<Unplaced>>,
    unplaced_moved: Mutex<LastMove>,
    /// Those that are set aside, and records without an index: asked for by each write.
    count: AtomicUsize,
}

impl Aside {
    /// Keeps a record of a file whose own row is damaged.
    pub(super) fn keep(&self, appended: Appended, record: &Record) {
        let (length, record) = (record.data.len() as u32, Record { data: Bytes::new(), ..record.clone() });
        self.unplaced.lock().push(Unplaced { appended, length, record });
        self.count(&self.files.lock());
    }

    /// Whether any file is set aside.
    pub(super) fn is_any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Whether a file is set aside.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.is_any() && self.files.lock().get(&node).is_some_and(Failing::is_aside)
    }

    /// Whether a file is set aside, and not to be tried yet.
    pub(super) fn waits(&self, node: NodeId, now: Duration) -> bool {
        self.is_any() && self.files.lock().get(&node).is_some_and(|failing| failing.is_aside() && now < failing.next)
    }

    /// Files that are set aside.
    pub(super) fn nodes(&self) -> Vec<NodeId> {
        self.files.lock().iter().filter(|(_, failing)| failing.is_aside()).map(|(node, _)| *node).collect()
    }

    /// Notes that a file was published; nothing of it may be left, or its last failure must be long ago. Answers whether
    /// it was set aside.
    fn over(&self, node: NodeId, is_empty: bool, now: Duration) -> bool {
        let mut files = self.files.lock();
        if files.get(&node).is_none_or(|failing| !is_empty && now < failing.next) {
            return false;
        }
        let was_aside = files.remove(&node).is_some_and(|failing| failing.is_aside());
        self.count(&files);
        was_aside
    }

    /// Forgets a file of which nothing is left.
    pub(super) fn forget(&self, node: NodeId) {
        if self.is_any() {
            let mut files = self.files.lock();
            files.remove(&node);
            self.count(&files);
        }
    }

    /// Notes that a file could not be published; answers whether it is set aside by that.
    fn failed(&self, node: NodeId, now: Duration, filled: u64) -> bool {
        let mut files = self.files.lock();
        let moved = LastMove { filled, tried: None };
        let failing = files.entry(node).or_insert(Failing { failures: 0, next: now, moved });
        failing.failures = failing.failures.saturating_add(1);
        failing.next = now + RETRY;
        let is_new = failing.failures == FAILURES_MAX;
        self.count(&files);
        is_new
    }

    fn count(&self, files: &BTreeMap<NodeId, Failing>) {
        let aside = files.values().filter(|failing| failing.is_aside()).count();
        self.count.store(aside + self.unplaced.lock().len(), Ordering::Release);
    }
}

impl Volume {
    /// Whether an error is about one file, so that others may go on.
    pub(super) fn is_of_file(error: FsError) -> bool {
        error == FsError::Io
    }

    /// Notes what became of a file in a flush.
    pub(super) async fn note_published(&self, node: NodeId, result: &FsResult<()>) {
        match result {
            Ok(()) => {
                if self.aside.over(node, !self.pending.has(node), self.machine.clock.monotonic()) {
                    tracing::info!(share = %self.name, %node, "a file that was set aside is in its content store now");
                }
            }
            Err(error) if Volume::is_of_file(*error) => {
                // What was filled before counts as well: the file's records may be the oldest ones.
                let filled = self.pending.filled().saturating_sub(self.stores.journal.usage().used);
                if self.aside.failed(node, self.machine.clock.monotonic(), filled) {
                    self.tell_aside(node).await;
                }
            }
            Err(_) => {}
        }
    }

    async fn tell_aside(&self, node: NodeId) {
        let (file, bytes) = (self.file(node).await, self.pending.bytes_of(node));
        tracing::error!(
            share = %self.name, %node, %file, bytes,
            "what was written to this file can't be put into its map, which is damaged: it is set aside in the journal, and \
             the file takes no writes; everything else goes on. Run `dittofs check`; removing the file gives the bytes up"
        );
    }

    /// Says that not everything is flushed where something is set aside.
    pub(crate) fn demand_none_aside(&self) -> FsResult<()> {
        if self.aside_bytes() > 0 { Err(FsError::Io) } else { Ok(()) }
    }

    /// Refuses writes to a file that is set aside.
    pub(super) fn demand_not_aside(&self, node: NodeId) -> FsResult<()> {
        if self.aside.has(node) { Err(FsError::Io) } else { Ok(()) }
    }

    /// Says which files a server that stops leaves in its journal.
    pub(super) async fn tell_left(&self) {
        for node in self.aside.nodes() {
            let (file, bytes) = (self.file(node).await, self.pending.bytes_of(node));
            tracing::error!(
                share = %self.name, %node, %file, bytes,
                "these bytes could not be put into the file's map, which is damaged: they are left in the share's journal"
            );
        }
    }

    /// A file by its path, or by its number where that is not known.
    async fn file(&self, node: NodeId) -> String {
        super::path_of(node, &*self.stores.metadata).await.unwrap_or_else(|| format!("file number {node}"))
    }

    /// The files that have bytes which are set aside.
    pub(super) async fn files_aside(&self) -> Vec<String> {
        let nodes = self.aside.nodes().into_iter().filter(|node| self.pending.bytes_of(*node) > 0);
        let mut nodes: BTreeSet<NodeId> = nodes.collect();
        nodes.extend(self.aside.unplaced.lock().iter().map(|one| one.record.node));
        let mut files = Vec::with_capacity(nodes.len());
        for node in nodes {
            files.push(self.file(node).await);
        }
        files
    }

    /// Bytes that are set aside.
    pub(super) fn aside_bytes(&self) -> u64 {
        let unplaced = self.aside.unplaced.lock().iter().map(|one| u64::from(one.length)).sum::<u64>();
        let nodes = self.aside.nodes();
        nodes.into_iter().map(|node| self.pending.bytes_of(node)).sum::<u64>() + unplaced
    }

    /// Whether the journal has room for a write beside what may have to be written again.
    pub(super) fn has_journal_room(&self) -> bool {
        if !self.aside.is_any() {
            return true;
        }
        let usage = self.stores.journal.usage();
        let kept =
            self.aside_bytes().saturating_add(usage.limit / PART_KEPT).min(usage.limit - usage.limit / PART_FILLED);
        usage.used <= usage.limit - kept
    }

    /// The first place in the journal of what a flush will take.
    fn first_not_aside(&self) -> Place {
        let nodes = self.pending.nodes().into_iter().map(|(node, _)| node).filter(|node| !self.aside.has(*node));
        nodes.filter_map(|node| self.pending.first_place(node)).min().unwrap_or(Place { segment: u64::MAX, at: 0 })
    }

    /// Takes the records of files that are set aside out of the journal's way.
    pub(super) async fn move_aside(&self) {
        if !self.aside.is_any() || self.stores.journal.survives() == Survives::Nothing {
            return;
        }
        let filling = Filling {
            filled: self.pending.filled(),
            part: (self.stores.journal.usage().limit / PART_FILLED).max(1),
            waits_behind: (!self.has_journal_room()).then(|| self.first_not_aside()),
            now: self.machine.clock.monotonic(),
        };
        let unplaced = self.aside.unplaced.lock().iter().map(|one| one.appended.place).min();
        if unplaced.is_some() && self.aside.unplaced_moved.lock().is_due(unplaced, &filling) {
            let done = self.copy_unplaced().await;
            self.aside.unplaced_moved.lock().note(&filling, done.is_ok());
            if let Err(error) = done {
                tracing::warn!(share = %self.name, %error, "records that are set aside hold the journal");
            }
        }
        let due: Vec<NodeId> = {
            let files = self.aside.files.lock();
            let is_due = |(node, failing): &(&NodeId, &Failing)| {
                failing.is_aside() && failing.moved.is_due(self.pending.first_place(**node), &filling)
            };
            files.iter().filter(is_due).map(|(node, _)| *node).collect()
        };
        for node in due {
            let done = self.write_journal_again(node).await;
            if let Some(failing) = self.aside.files.lock().get_mut(&node) {
                failing.moved.note(&filling, done.is_ok());
            }
            if let Err(error) = done {
                tracing::warn!(share = %self.name, %node, %error, "records that are set aside hold the journal");
            }
        }
    }

    /// Writes what the index has of a file to the journal's end, and gives the old records up. A crash in between
    /// leaves both, which have the same bytes.
    async fn write_journal_again(&self, node: NodeId) -> Result<(), JournalError> {
        let _flushing = self.flushing.lock().await;
        let _turn = self.turns.lock(node).await;
        // Its own row may be what is damaged.
        let stored = match self.stores.metadata.view(&Query::node(node)).await {
            Ok(view) => view.nodes.first().cloned(),
            Err(_) => None,
        };
        let Some(pending) = self.pending.find(node) else { return Ok(()) };
        let (slices, size, time) = {
            let pending = pending.lock();
            (pending.slices.iter().collect::<Vec<_>>(), pending.shown.size, shown_time(&pending, stored.as_deref()))
        };
        let mut moved = Vec::new();
        for slice in slices {
            let data = match self.stores.journal.read(slice.place, slice.skip, slice.len).await {
                Ok(data) => data,
                Err(error) => return self.take_back(node, &moved, error).await,
            };
            let (offset, length) = (slice.offset, slice.len);
            let record = Record { node, offset, data, size, time, epoch: self.epoch, copy_of: None };
            match self.stores.journal.append(record).await {
                Ok(appended) => moved.push(Moved { offset, length, appended, credits: None }),
                Err(error) => return self.take_back(node, &moved, error).await,
            }
        }
        // The old ones may be durable, so the new ones must be before they are given up.
        let newest = moved.last().map_or(Sequence(0), |moved| moved.appended.sequence);
        if let Err(error) = self.stores.journal.sync(newest).await {
            return self.take_back(node, &moved, error).await;
        }
        let old = self.pending.moved_records(node, moved, |bytes| self.admission.admit_recovered(bytes));
        self.release(old).await;
        Ok(())
    }

    /// Gives new records up that are not complete. The journal may bring them back all the same: what is cut out of the
    /// file from now on must be cut out of them as well.
    async fn take_back(&self, node: NodeId, moved: &[Moved], error: JournalError) -> Result<(), JournalError> {
        let records: Vec<Appended> = moved.iter().map(|moved| moved.appended).collect();
        if let (Some(newest), Some(pending)) = (records.last(), self.pending.find(node)) {
            pending.lock().has_seen(newest.sequence);
        }
        self.release(records).await;
        Err(error)
    }
}

/// The time that a replay of the file's records must show.
fn shown_time(pending: &NodePending, stored: Option<&Node>) -> dittofs_domain::Timestamp {
    match (pending.shown.times, pending.shown.shown, stored) {
        (Some((time, _)), ..) => time,
        // A client has set another one since.
        (None, _, Some(stored)) => stored.mtime,
        (None, shown, None) => shown.map(|(_, time)| time).unwrap_or_default(),
    }
}
