//! One sync for all who wait, and what happens when it fails.

use std::{io, sync::Arc};

use super::checksum::crc32c;
use dittofs_domain::{NodeId, Sequence, content::Place};
use dittofs_ports::JournalError;

use super::{
    Shared,
    failure::SyncLoss,
    format::{RECORD_HEAD, RecordHead, SEGMENT_HEAD, VOID},
    log::{Entry, Log, Phase, Segment},
    slot::Slot,
    superblock::{Gap, Superblock},
};

/// What somebody waits for: of what there was when they began to, or who waits for all would never be done.
#[derive(Clone, Copy)]
struct Entered {
    up_to: u64,
    /// Syncs that had failed by then.
    failures: u32,
}

/// Bytes that are synced though nobody waits for them.
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
        let Entered { up_to, failures } =
            *entered.get_or_insert(Entered { up_to: up_to.min(log.next - 1), failures: log.failures });
        if log.phase == Phase::Moving {
            return None;
        }
        if let Some(failed) = log.failed.as_ref().filter(|failed| failures != log.failures || failed.concerns(up_to)) {
            return Some(Err(JournalError::SyncFailed(Box::new(SyncLoss::clone(failed)))));
        }
        if log.durable >= up_to {
            return Some(Ok(()));
        }
        if matches!(log.phase, Phase::Stopped | Phase::New) {
            return Some(Err(stopped()));
        }
        self.start_sync(&mut log);
        None
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
                self.sync_failed(error);
            }
        }
        self.log.lock().syncing = false;
        self.changed();
    }

    /// After the first failure the records that are not durable go elsewhere; after the second nothing is written.
    fn sync_failed(&self, error: io::Error) {
        let mut loss = {
            let mut log = self.log.lock();
            log.failures += 1;
            log.phase = if log.failures == 1 { Phase::Moving } else { Phase::Stopped };
            log.seal();
            let (first, last) = (Sequence(log.durable + 1), Sequence(log.next - 1));
            SyncLoss { first, last, lost: Vec::new(), cause: error.to_string() }
        };
        let moving = self.log.lock().phase == Phase::Moving;
        let moved = moving.then(|| self.move_away(&mut loss));
        let mut log = self.log.lock();
        if !matches!(moved, Some(Ok(()))) {
            log.phase = Phase::Stopped;
            loss.lost = log.not_durable().filter(|old| !old.entry.released).map(|old| old.named()).collect();
        }
        log.failed = Some(Arc::new(loss));
    }

    fn move_away(&self, loss: &mut SyncLoss) -> io::Result<()> {
        let mut superblock = self.superblock.lock();
        let old: Vec<Old> = self.log.lock().not_durable().collect();
        let mut moved = Vec::new();
        for old in &old {
            let (head, payload) = old.read_back().unwrap_or_else(|| {
                loss.lost.extend((!old.entry.released).then(|| old.named()));
                (old.void(), Vec::new())
            });
            self.append_moved(&mut superblock, &mut moved, &head, &payload)?;
        }
        for segment in &moved {
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
        self.log.lock().adopt(&old, moved);
        Ok(())
    }

    fn append_moved(
        &self,
        superblock: &mut Superblock,
        moved: &mut Vec<Segment>,
        head: &RecordHead,
        payload: &[u8],
    ) -> io::Result<()> {
        if !moved.last().is_some_and(|segment| segment.has_room(head.span())) {
            let spare = self.log.lock().spare.take();
            let segment = spare.map_or_else(|| self.prepare_segment(superblock), Ok)?;
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

    /// What takes its number.
    fn void(&self) -> RecordHead {
        let (sequence, node) = (self.entry.sequence, self.entry.node);
        RecordHead { sequence, node, ..RecordHead::bare(VOID, 0, 0) }
    }
}

impl Log {
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
