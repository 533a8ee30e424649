//! Segments ahead of need: a file of zeros or one that was used before, with a new head.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

use super::{
    Shared,
    format::{Headed, JournalId, SEGMENT_HEAD, SegmentHead},
    log::{Log, Phase, Segment, kind_of},
    slot::Slot,
    superblock::Superblock,
};

impl Shared {
    /// Has a spare segment made, unless there is one.
    pub(super) fn prepare_soon(self: &Arc<Self>, log: &mut Log) {
        if log.preparing || log.spare.is_some() || log.phase != Phase::Ready || self.closing() {
            return;
        }
        log.preparing = true;
        log.prepare_failed = None;
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || shared.prepare());
    }

    fn prepare(&self) {
        let mut superblock = self.superblock.lock();
        // A failed sync may have taken what it was for.
        let wanted = self.log.lock().spare.is_none();
        let prepared = if wanted { self.prepare_segment(&mut superblock).map(Some) } else { Ok(None) };
        let mut log = self.log.lock();
        log.preparing = false;
        match prepared {
            Ok(Some(segment)) => log.spare = Some(segment),
            Ok(None) => {}
            Err(error) => log.prepare_failed = Some((kind_of(&error), error.to_string())),
        }
        drop(log);
        self.changed();
    }

    /// Makes the next segment. It is durable, and belongs to the log, before anything is appended to it.
    pub(super) fn prepare_segment(&self, superblock: &mut Superblock) -> io::Result<Segment> {
        let mut next = superblock.clone();
        self.refresh(&mut next);
        if next.oldest != superblock.oldest {
            // Until this is durable, the files of the segments before are part of the log.
            next.write(&*self.folder)?;
            *superblock = next.clone();
        }
        let slot = self.free_slot(next.oldest)?;
        let head = SegmentHead {
            journal: next.journal,
            number: next.prepared + 1,
            incarnation: next.incarnation,
            bytes: slot.bytes,
            durable: next.durable,
        };
        next.prepared += 1;
        let written = begin(&slot, &head).and_then(|()| next.write(&*self.folder));
        if let Err(error) = written {
            // The head may be there. The segment that takes this number next must be distinguishable from it.
            superblock.incarnation += 1;
            self.log.lock().retired.push((0, slot));
            return Err(error);
        }
        *superblock = next;
        Ok(Segment::new(head.number, slot, self.seed(&head)))
    }

    /// Brings what changes with every record up to date.
    pub(super) fn refresh(&self, superblock: &mut Superblock) {
        let log = self.log.lock();
        let first = log.segments.front().or(log.set_aside.front()).or(log.spare.as_ref());
        superblock.oldest = first.map_or(superblock.prepared + 1, |segment| segment.number);
        let entry = first.and_then(|segment| segment.entries.first());
        superblock.start = entry.map_or(log.next, |entry| entry.sequence);
        superblock.next = superblock.next.max(log.next);
        superblock.durable = superblock.durable.max(log.durable);
        drop(log);
        superblock.prune();
    }

    /// A file that nobody reads and that is not part of the log, or a new one.
    fn free_slot(&self, oldest: u64) -> io::Result<Arc<Slot>> {
        let (index, filling) = {
            let mut log = self.log.lock();
            let Log { retired, dirty, segments, .. } = &mut *log;
            let left = |slot: &Arc<Slot>| retired.iter().any(|(n, old)| *n < oldest && Arc::ptr_eq(old, slot));
            dirty.retain(|slot| !left(slot));
            let free = retired.iter_mut().position(|(n, slot)| *n < oldest && Arc::get_mut(slot).is_some());
            if let Some(free) = free {
                return Ok(retired.swap_remove(free).1);
            }
            if segments.len() + retired.len() >= self.slots_max {
                return Err(io::Error::new(ErrorKind::WouldBlock, "all segments are still being read"));
            }
            (self.next_slot(), log.filling())
        };
        Slot::create(&self.folder, index, self.segment_bytes, filling).map(Arc::new)
    }
}

/// Writes the head of a new segment.
fn begin(slot: &Slot, head: &SegmentHead) -> io::Result<()> {
    slot.file.write_at(&head.encode(), 0)?;
    slot.file.sync_data()
}

/// The head of a slot's segment, if it is one of this journal.
pub(super) fn read_head(slot: &Slot, journal: JournalId) -> io::Result<Headed> {
    if slot.bytes < SEGMENT_HEAD {
        return Ok(Headed::Bad);
    }
    let mut bytes = vec![0; SEGMENT_HEAD as usize];
    slot.file.read_at(&mut bytes, 0)?;
    Ok(match SegmentHead::decode(&bytes) {
        Headed::Head(head) if head.journal != journal || head.bytes != slot.bytes => Headed::Bad,
        headed => headed,
    })
}
