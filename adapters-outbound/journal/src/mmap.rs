//! The journal on a local disk: segment files that are appended to with `pwrite` and `fdatasync`, and read through a
//! map. `docs/decisions/0007-journal-format.md` has the format and the rules of recovery.

mod bugs;
mod failure;
mod files;
mod format;
mod log;
mod map;
mod prepare;
mod recover;
mod scan;
mod slot;
mod superblock;
mod sync;
mod walk;

pub use failure::{Damage, OpenError};
pub use format::JournalId;
pub use walk::{LostRun, Recovery};

use std::{
    io::ErrorKind,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, Sequence, content::Place, ownership::Start};
use dittofs_ports::{Appended, Journal, JournalError, JournalIdentity, JournalUsage, Record, Survives};
use parking_lot::Mutex;
use tokio::{sync::watch, task};

use bugs::{Bug, Bugs};
use files::{DiskFolder, Folder};
use format::{ALIGNMENT, RELEASE, RecordHead, SegmentHead, encode_released};
use log::{Log, Phase, Placing, as_journal_error};
use superblock::{NoSuperblock, Superblock};

/// Segments that a journal is divided into, where their bounds allow. A segment is given back as a whole, so one record
/// that stays may keep a sixteenth of the journal; more segments would cost more heads and files.
const SEGMENTS_USUAL: u64 = 16;
/// A segment must hold a transfer of 1 MiB with some room to spare.
const SEGMENT_BYTES_USUAL_MIN: u64 = 4 << 20;
/// Only tests ask for so little: then a few records fill one.
const SEGMENT_BYTES_MIN: u64 = 64 << 10;
/// A quarter of a journal may be kept for records that are written again, and room is given back by whole segments.
const SEGMENTS_MIN: u64 = 4;
/// A release record says so much at most. 16 KiB of payload, so that one is never long beside the writes that wait for
/// the log.
const RELEASED_AT_ONCE: usize = 1_024;

/// How large a journal is, and how it is opened.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// The bytes that all segments may take together; rounded up to whole segments, at least four.
    pub limit_bytes: u64,
    /// The size of a segment, and so more than the longest record; rounded up to a multiple of 32, at least 64 KiB.
    pub segment_bytes: u64,
    /// Recovery goes on where records that had been durable are lost, and reports them.
    pub accept_loss: bool,
}

impl JournalOptions {
    /// Segments of so many bytes, or smaller ones where few of them would make up the limit.
    pub fn new(limit_bytes: u64, segment_bytes_max: u64) -> JournalOptions {
        let most = segment_bytes_max.max(SEGMENT_BYTES_USUAL_MIN);
        let segment_bytes = (limit_bytes / SEGMENTS_USUAL).next_power_of_two().clamp(SEGMENT_BYTES_USUAL_MIN, most);
        JournalOptions { limit_bytes, segment_bytes, accept_loss: false }
    }
}

/// A journal in a folder of its own. Its methods must be called in a tokio runtime: they use its blocking threads.
///
/// - Released records may come back after a crash until a sync covers their release: replay must be able to meet
///   records that were published. They don't come back once their segment was used again.
/// - Segments are used again strictly in order, so the oldest record that is not released is the one that must be
///   flushed to get space.
pub struct MmapJournal {
    shared: Arc<Shared>,
}

/// Is called with the bytes that recovery has read, and with all that it will read.
type RecoveryProgress = Box<dyn Fn(u64, u64) + Send>;

struct Shared {
    folder: Arc<dyn Folder>,
    segment_bytes: u64,
    slots_max: usize,
    accept_loss: bool,
    /// Taken before `log`, and held while segments are prepared.
    superblock: Mutex<Superblock>,
    log: Mutex<Log>,
    /// Syncs that failed, and losses that were found later: read without the lock, and raised under that of the log.
    failures: AtomicU64,
    recovery: Mutex<Recovery>,
    progress: Mutex<Option<RecoveryProgress>>,
    next_slot: AtomicU64,
    closing: AtomicBool,
    bugs: Bugs,
    /// Something that somebody may wait for has happened.
    changes: watch::Sender<()>,
}

impl MmapJournal {
    /// [`MmapJournal::create_at`], in any folder.
    pub(crate) fn create(
        folder: Arc<dyn Folder>,
        journal: JournalId,
        known: Sequence,
        options: JournalOptions,
    ) -> Result<MmapJournal, OpenError> {
        let used = |name: &String| name == "superblock" || slot::Slot::index(name).is_some();
        if folder.names()?.iter().any(used) {
            return Err(OpenError::Exists);
        }
        let superblock = Superblock::new(journal, known.0.saturating_add(1));
        superblock.write(&*folder)?;
        Ok(MmapJournal::new(folder, superblock, options))
    }

    /// [`MmapJournal::open_at`], in any folder.
    pub(crate) fn open(
        folder: Arc<dyn Folder>,
        expected: Option<JournalId>,
        options: JournalOptions,
    ) -> Result<MmapJournal, OpenError> {
        let superblock = Superblock::read(&*folder).map_err(|error| match error {
            NoSuperblock::Missing => OpenError::Missing,
            NoSuperblock::Newer(version) => OpenError::Newer(version),
            NoSuperblock::Damaged => OpenError::Damaged,
            NoSuperblock::Io(error) => OpenError::Io(error),
        })?;
        match expected {
            Some(expected) if expected != superblock.journal => {
                Err(OpenError::Foreign { found: superblock.journal, expected })
            }
            _ => Ok(MmapJournal::new(folder, superblock, options)),
        }
    }

    /// Makes a journal in a folder on a disk that has none. Its numbers are above those that a lost journal, in whose
    /// place it is, is known to have given, so that what was published of that one is not taken for newer. Blocks.
    pub fn create_at(
        path: &Path,
        journal: JournalId,
        known: Sequence,
        options: JournalOptions,
    ) -> Result<MmapJournal, OpenError> {
        MmapJournal::create(lock(path)?, journal, known, options)
    }

    /// Opens the journal that is in a folder on a disk, if it is the one that is expected. A folder that is missing is
    /// not made. Blocks; reads no records yet.
    pub fn open_at(
        path: &Path,
        expected: Option<JournalId>,
        options: JournalOptions,
    ) -> Result<MmapJournal, OpenError> {
        if !path.is_dir() {
            return Err(OpenError::Missing);
        }
        MmapJournal::open(lock(path)?, expected, options)
    }

    fn new(folder: Arc<dyn Folder>, superblock: Superblock, options: JournalOptions) -> MmapJournal {
        let segment_bytes = options.segment_bytes.max(SEGMENT_BYTES_MIN).next_multiple_of(ALIGNMENT);
        let segments = options.limit_bytes.div_ceil(segment_bytes).max(SEGMENTS_MIN);
        let shared = Shared {
            folder,
            segment_bytes,
            // One ahead, and a tenth for those that are still being read.
            slots_max: (segments + 1 + segments.div_ceil(10)) as usize,
            accept_loss: options.accept_loss,
            superblock: Mutex::new(superblock),
            log: Mutex::new(Log::new(segment_bytes, segments * segment_bytes)),
            failures: AtomicU64::new(0),
            recovery: Mutex::default(),
            progress: Mutex::default(),
            next_slot: AtomicU64::new(1),
            closing: AtomicBool::new(false),
            bugs: Bugs::default(),
            changes: watch::Sender::new(()),
        };
        MmapJournal { shared: Arc::new(shared) }
    }

    /// Has recovery, which is still to come, report how many bytes it has read, and of how many.
    pub fn report_recovery_to(&self, progress: impl Fn(u64, u64) + Send + 'static) {
        *self.shared.progress.lock() = Some(Box::new(progress));
    }

    /// Reports the torn tail that recovery removed, and the records that it found to be lost.
    pub fn recovery(&self) -> Recovery {
        self.shared.recovery.lock().clone()
    }
}

fn lock(path: &Path) -> Result<Arc<dyn Folder>, OpenError> {
    match DiskFolder::open(path) {
        Ok(folder) => Ok(Arc::new(folder)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(OpenError::InUse),
        Err(error) => Err(OpenError::Io(error)),
    }
}

impl Drop for MmapJournal {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn changed(&self) {
        self.changes.send_replace(());
    }

    /// Returns the seed of the checksums of a segment's records.
    fn seed(&self, head: &SegmentHead) -> u32 {
        if self.bugs.has(Bug::SeedIsJournalOnly) || self.bugs.has(Bug::StaleBytesAccepted) {
            return SegmentHead { number: 0, incarnation: 0, ..*head }.seed();
        }
        head.seed()
    }

    fn closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The index of a new slot's file.
    fn next_slot(&self) -> u64 {
        self.next_slot.fetch_add(1, Ordering::Relaxed)
    }

    fn slot_exists(&self, index: u64) {
        self.next_slot.fetch_max(index.saturating_add(1), Ordering::Relaxed);
    }

    async fn append(self: &Arc<Self>, head: &RecordHead, payload: &[u8]) -> Result<Appended, JournalError> {
        let mut changes = self.changes.subscribe();
        let mut waited = false;
        loop {
            if let Some(answer) = self.try_append(head, payload, waited) {
                return answer;
            }
            waited = true;
            if changes.changed().await.is_err() {
                return Err(sync::stopped());
            }
        }
    }

    /// Appends on the calling thread: that is a copy into the page cache. None: ask again when something has changed.
    fn try_append(
        self: &Arc<Self>,
        head: &RecordHead,
        payload: &[u8],
        waited: bool,
    ) -> Option<Result<Appended, JournalError>> {
        let mut log = self.log.lock();
        let phase = log.phase;
        match phase {
            Phase::New | Phase::Stopped => return Some(Err(sync::stopped())),
            Phase::Moving => return None,
            Phase::Full if self.try_again(&mut log) => return None,
            Phase::Full => return Some(Err(JournalError::DiskFull)),
            Phase::Ready => {}
        }
        match log.append(head, payload) {
            Ok(Placing::At(appended)) => {
                self.prepare_soon(&mut log);
                self.sync_early(&mut log);
                Some(Ok(appended))
            }
            Ok(Placing::NeedsSegment) => {
                let failed = log.prepare_failed.clone().filter(|_| waited && !log.preparing);
                if let Some((kind, message)) = failed.filter(|_| !log.replace_active()) {
                    return Some(Err(as_journal_error(std::io::Error::new(kind, message))));
                }
                self.prepare_soon(&mut log);
                None
            }
            Err(error) => Some(Err(error)),
        }
    }
}

#[async_trait]
impl Journal for MmapJournal {
    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    fn identity(&self) -> JournalIdentity {
        let superblock = self.shared.superblock.lock();
        let Superblock { journal, incarnation, start_noted, .. } = &*superblock;
        JournalIdentity { journal: journal.0, incarnation: *incarnation, start: *start_noted }
    }

    async fn note_start(&self, start: Start) -> Result<(), JournalError> {
        let shared = Arc::clone(&self.shared);
        let stored = task::spawn_blocking(move || {
            let mut superblock = shared.superblock.lock();
            let next = Superblock { start_noted: Some(start), ..superblock.clone() };
            next.write(&*shared.folder).map_err(as_journal_error)?;
            *superblock = next;
            Ok(())
        });
        stored.await.map_err(|stopped| JournalError::Unavailable(stopped.into()))?
    }

    async fn append(&self, record: Record) -> Result<Appended, JournalError> {
        let head = RecordHead::of(&record).ok_or_else(|| JournalError::Unavailable("a record is too long".into()))?;
        self.shared.append(&head, &record.data).await
    }

    async fn sync(&self, up_to: Sequence) -> Result<(), JournalError> {
        self.shared.sync(up_to).await
    }

    fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Acquire)
    }

    fn lost(&self) -> Vec<(NodeId, Sequence)> {
        self.shared.log.lock().losses.iter().flat_map(|loss| loss.lost.iter().copied()).collect()
    }

    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        let (slot, at) = self.shared.log.lock().locate(place, skip, len)?;
        slot.map.as_ref().filter(|map| map.is_resident(at, len as usize))?;
        map::borrow(&slot, at, len as usize)
    }

    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError> {
        if let Some(data) = self.read_now(place, skip, len) {
            return Ok(data);
        }
        let located = self.shared.log.lock().locate(place, skip, len);
        let (slot, at) = located.ok_or(JournalError::NotFound)?;
        let read = task::spawn_blocking(move || {
            let mut data = vec![0; len as usize];
            slot.file.read_at(&mut data, at).map(|()| Bytes::from(data))
        });
        match read.await {
            Ok(Ok(data)) => Ok(data),
            Ok(Err(error)) => Err(JournalError::Unavailable(error.into())),
            Err(stopped) => Err(JournalError::Unavailable(stopped.into())),
        }
    }

    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        let shared = Arc::clone(&self.shared);
        let recovered = task::spawn_blocking(move || {
            let recovered = shared.recover(above)?;
            let mut log = shared.log.lock();
            shared.prepare_soon(&mut log);
            drop(log);
            Ok(recovered)
        });
        recovered.await.map_err(|stopped| JournalError::Unavailable(stopped.into()))?
    }

    async fn release(&self, records: &[Appended]) -> Result<(), JournalError> {
        for some in records.chunks(RELEASED_AT_ONCE) {
            let released = self.shared.log.lock().release(some);
            if !released.is_empty() {
                let payload = encode_released(&released);
                let head = RecordHead::over(RELEASE, &payload);
                // Without room for saying so, the records may come back after a restart, and are skipped by replay.
                if let Some(head) = head {
                    let _ = self.shared.append(&head, &payload).await;
                }
            }
            self.shared.log.lock().recycle();
        }
        Ok(())
    }

    fn usage(&self) -> JournalUsage {
        let log = self.shared.log.lock();
        JournalUsage { used: log.used(), limit: log.limit }
    }
}

#[cfg(test)]
mod tests;
