//! One sync for all who wait, and what happens when it fails.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use dittofs_domain::{NodeId, Sequence, content::Place, crc32c::crc32c};
use dittofs_ports::JournalError;

use super::{
    Shared,
    failure::SyncLoss,
    format::{RECORD_HEAD, RecordHead, SEGMENT_HEAD, VOID},
    log::{Entry, Log, Phase, Segment, is_full},
    slot::Slot,
    superblock::{Gap, Superblock},
};

/// The records that a caller of sync waits for: those that were there when it began to wait. If it waited for all, it
/// would never be done.
#[derive(Clone, Copy)]
struct Entered {
    up_to: u64,
    /// [`Shared::failures`] by then.
    failures: u64,
}

/// How long nothing is tried where there was no room: each try writes all that was not durable once more. A second of
/// delay is little where room has to be made first.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Bytes that are synced though nobody waits for them. A commit then waits for 16 MiB at most, some 20 ms of a disk of
/// 800 MB/s; syncing less at a time would cost more syncs.
const EARLY_SYNC_BYTES: u64 = 16 << 20;

impl Shared {
    pub(super) async fn sync(self: &Arc<Self>, up_to: Sequence) -> Result<(), JournalError> {
        let mut changes = self.changes.subscribe();
        let mut entered = None;
        loop {
            if let Some(answer) = self.sync_state(up_to.0, &mut entered) {
                return answer;
            }
            if changes.changed().await.is_err() {
                return Err(JournalError::Unavailable("the journal is closed".into()));
            }
        }
    }

    /// The answer to one who waits, if there is one; otherwise a sync runs.
    fn sync_state(self: &Arc<Self>, up_to: u64, entered: &mut Option<Entered>) -> Option<Result<(), JournalError>> {
        let mut log = self.log.lock();
        let now = self.failures.load(Ordering::Acquire);
        let Entered { up_to, failures } =
            *entered.get_or_insert(Entered { up_to: up_to.min(log.next - 1), failures: now });
        if log.phase == Phase::Moving {
            return None;
        }
        if let Some(failed) = log.failed.as_deref().filter(|_| failures != now) {
            return Some(Err(JournalError::SyncFailed(Box::new(failed.clone()))));
        }
        if log.durable >= up_to {
            return Some(Ok(()));
        }
        let phase = log.phase;
        match phase {
            Phase::Stopped | Phase::New => return Some(Err(stopped())),
            Phase::Full if !self.try_again(&mut log) => return Some(Err(JournalError::DiskFull)),
            Phase::Full | Phase::Moving => {}
            Phase::Ready => self.start_sync(&mut log),
        }
        None
    }

    /// Tries to move what could not be moved for want of room, but not too often; answers whether it is tried now.
    pub(super) fn try_again(self: &Arc<Self>, log: &mut Log) -> bool {
        if log.tried.is_some_and(|tried| tried.elapsed() < RETRY_PAUSE) || self.closing() {
            return false;
        }
        log.phase = Phase::Moving;
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let loss = shared.log.lock().not_synced("there was no room on the disk".into());
            shared.move_away(loss, false);
            shared.changed();
        });
        true
    }

    /// Starts a sync unless one is running.
    fn start_sync(self: &Arc<Self>, log: &mut Log) {
        if !log.syncing {
            log.syncing = true;
            let shared = Arc::clone(self);
            tokio::task::spawn_blocking(move || shared.run_sync());
        }
    }

    /// Keeps the disk busy while much is written: who waits for the last record then waits for the rest only.
    pub(super) fn sync_early(self: &Arc<Self>, log: &mut Log) {
        if log.unsynced >= EARLY_SYNC_BYTES {
            self.start_sync(log);
        }
    }

    fn run_sync(&self) {
        let (target, sealed, active) = {
            let mut log = self.log.lock();
            log.unsynced = 0;
            let active = log.segments.back_mut().filter(|active| !active.sealed).map(|active| {
                active.syncs += 1;
                Arc::clone(&active.slot)
            });
            (log.next - 1, log.dirty.clone(), active)
        };
        let synced = sealed.iter().chain(&active).try_for_each(|slot| slot.file.sync_data());
        match synced {
            Ok(()) => {
                let mut log = self.log.lock();
                log.durable = log.durable.max(target);
                // The active segment may have been sealed since, with records that came after the sync began.
                log.dirty.retain(|dirty| !sealed.iter().any(|slot| Arc::ptr_eq(slot, dirty)));
            }
            Err(error) => {
                drop((sealed, active));
                self.sync_failed(&error);
            }
        }
        self.log.lock().syncing = false;
        self.changed();
    }

    /// The records that are not durable go elsewhere, where what is still readable of them is synced anew. Where there is
    /// no room for that it is tried again later; after the second failure of another kind nothing is written any more.
    fn sync_failed(&self, error: &io::Error) {
        let loss = {
            let mut log = self.log.lock();
            log.broken += u32::from(!is_full(error));
            log.seal();
            let loss = log.not_synced(error.to_string());
            if log.broken > 1 && !is_full(error) {
                self.end_move(&mut log, Err((io::Error::other("a sync failed again"), loss)), true);
                return;
            }
            log.phase = Phase::Moving;
            loss
        };
        self.move_away(loss, true);
    }

    /// Writes the records that no sync has covered to other segments, and makes them durable there; notes what of them
    /// is lost.
    fn move_away(&self, mut loss: SyncLoss, has_failed: bool) {
        let mut superblock = self.superblock.lock();
        let mut begun = Vec::new();
        let tried = self.try_move(&mut superblock, &mut begun, &mut loss);
        let mut log = self.log.lock();
        let moved = match tried {
            Ok(old) => {
                log.adopt(&old, begun);
                Ok(loss)
            }
            Err(error) => {
                // They belong to the log already: what comes next must go there.
                let after = std::mem::take(&mut log.set_aside);
                log.set_aside = begun.into_iter().map(Segment::emptied).chain(after).collect();
                Err((error, loss))
            }
        };
        self.end_move(&mut log, moved, has_failed);
    }

    /// Notes what is lost, and that there is something to be heard of. Under the lock under which the log goes on: no
    /// sync may succeed in between, or its caller would take what is lost for durable.
    fn end_move(&self, log: &mut Log, moved: Result<SyncLoss, (io::Error, SyncLoss)>, has_failed: bool) {
        let has_lost = log.end_move(moved);
        self.failures.fetch_add(u64::from(has_failed || has_lost), Ordering::Release);
    }

    fn try_move(
        &self,
        superblock: &mut Superblock,
        moved: &mut Vec<Segment>,
        loss: &mut SyncLoss,
    ) -> io::Result<Vec<Old>> {
        let old: Vec<Old> = {
            let mut log = self.log.lock();
            let old: Vec<Old> = log.not_durable().collect();
            // Otherwise a gap leads on from before it.
            if old.is_empty() {
                log.wipe()?;
            }
            old
        };
        loss.lost.clear();
        for old in &old {
            let (head, payload) = old.read_back().unwrap_or_else(|| {
                loss.lost.extend((!old.entry.released).then(|| old.named()));
                (old.void(), Vec::new())
            });
            self.append_moved(superblock, moved, &head, &payload)?;
        }
        for segment in moved.iter() {
            segment.slot.file.sync_data()?;
        }
        // From here on the log goes on in the new segments, also after a crash.
        let mut next = superblock.clone();
        self.refresh(&mut next);
        if let (Some(first), Some(to)) = (old.first(), moved.first()) {
            let from = (first.segment, first.entry.at - RECORD_HEAD as u64);
            next.bridge(Gap { from, to: (to.number, SEGMENT_HEAD), next: first.entry.sequence });
        }
        next.write(&*self.folder)?;
        *superblock = next;
        Ok(old)
    }

    fn append_moved(
        &self,
        superblock: &mut Superblock,
        moved: &mut Vec<Segment>,
        head: &RecordHead,
        payload: &[u8],
    ) -> io::Result<()> {
        if !moved.last().is_some_and(|segment| segment.has_room(head.span())) {
            let next = self.log.lock().next_segment();
            let segment = next.map_or_else(|| self.prepare_segment(superblock), Ok)?;
            moved.push(segment);
        }
        moved.last_mut().map_or(Ok(()), |segment| segment.push(head, payload))
    }
}

pub(super) fn stopped() -> JournalError {
    JournalError::Unavailable("the journal can't be written".into())
}

/// A record that no sync has covered.
struct Old {
    segment: u64,
    slot: Arc<Slot>,
    seed: u32,
    entry: Entry,
}

impl Old {
    fn named(&self) -> (NodeId, Sequence) {
        (NodeId(self.entry.node), Sequence(self.entry.sequence))
    }

    /// The record, if it can still be read and passes its checksums.
    fn read_back(&self) -> Option<(RecordHead, Vec<u8>)> {
        let mut bytes = vec![0; RECORD_HEAD + self.entry.len as usize];
        self.slot.file.read_at(&mut bytes, self.entry.at - RECORD_HEAD as u64).ok()?;
        let head = RecordHead::decode(&bytes, self.seed)?;
        let payload = bytes.split_off(RECORD_HEAD);
        let whole = head.sequence == self.entry.sequence && head.payload_crc == crc32c(&payload);
        whole.then_some((head, payload))
    }

    /// Returns the head of the void record that takes its number.
    fn void(&self) -> RecordHead {
        let (sequence, node) = (self.entry.sequence, self.entry.node);
        RecordHead { sequence, node, ..RecordHead::bare(VOID, 0, 0) }
    }
}

impl Log {
    /// The records that a failed sync has not made durable; nothing of them is known to be lost yet.
    fn not_synced(&self, cause: String) -> SyncLoss {
        SyncLoss { first: Sequence(self.durable + 1), last: Sequence(self.next - 1), lost: Vec::new(), cause }
    }

    /// Notes how moving has ended; answers whether it has lost something.
    fn end_move(&mut self, moved: Result<SyncLoss, (io::Error, SyncLoss)>) -> bool {
        let loss = match moved {
            Ok(loss) => loss,
            // A segment that is still being read is not used again: that passes, too.
            Err((error, loss)) if is_full(&error) || error.kind() == io::ErrorKind::WouldBlock => {
                self.phase = Phase::Full;
                self.tried = Some(Instant::now());
                // A record that can still be read may be gone by the time that there is room.
                SyncLoss { lost: Vec::new(), ..loss }
            }
            Err((_, loss)) => {
                self.phase = Phase::Stopped;
                let lost = self.not_durable().filter(|old| !old.entry.released).map(|old| old.named()).collect();
                SyncLoss { lost, ..loss }
            }
        };
        let has_lost = !loss.lost.is_empty();
        let loss = Arc::new(loss);
        self.failed = Some(Arc::clone(&loss));
        self.losses.extend(has_lost.then_some(loss));
        has_lost
    }

    fn not_durable(&self) -> impl Iterator<Item = Old> {
        let durable = self.durable;
        self.segments.iter().flat_map(move |segment| {
            let (number, slot, seed) = (segment.number, &segment.slot, segment.seed);
            let entries = segment.entries.iter().filter(move |entry| entry.sequence > durable);
            entries.map(move |entry| Old { segment: number, slot: Arc::clone(slot), seed, entry: *entry })
        })
    }

    /// Goes on with segments that hold copies of all records that no sync had covered.
    fn adopt(&mut self, old: &[Old], mut moved: Vec<Segment>) {
        let sealed = moved.len().saturating_sub(1);
        let current: Vec<Entry> = self.not_durable().map(|old| old.entry).collect();
        let mut now = current.iter().zip(old);
        for (index, segment) in moved.iter_mut().enumerate() {
            segment.sealed = index < sealed;
            for entry in &mut segment.entries {
                let Some((current, old)) = now.next() else {
                    continue;
                };
                entry.released |= current.released;
                let from = Place { segment: old.segment, at: old.entry.at };
                let to = Place { segment: segment.number, at: entry.at };
                self.moved.insert(from, to);
            }
            segment.live = segment.entries.iter().filter(|entry| !entry.released).count();
        }
        let durable = self.durable;
        for segment in &mut self.segments {
            segment.entries.retain(|entry| entry.sequence <= durable);
            segment.live = segment.entries.iter().filter(|entry| !entry.released).count();
        }
        self.segments.extend(moved);
        self.live = self.segments.iter().map(|segment| segment.live as u64).sum();
        self.durable = self.next - 1;
        self.dirty.clear();
        self.phase = Phase::Ready;
        self.recycle();
    }
}
