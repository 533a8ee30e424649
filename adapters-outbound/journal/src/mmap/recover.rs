//! Recovery: reads what an earlier process left in a journal, when the journal is opened again.

use std::{collections::BTreeMap, io, sync::Arc};

use bytes::Bytes;
use dittofs_domain::{Sequence, content::Place};
use dittofs_ports::{Appended, JournalError, Record};

use super::{
    Shared,
    bugs::Bug,
    failure::Damage,
    format::{Headed, RECORD_HEAD, RELEASE, SEGMENT_HEAD, SegmentHead, decode_released},
    log::{Phase, Segment, as_journal_error},
    map,
    prepare::read_head,
    scan::{Found, scan},
    slot::{Filling, Slot},
    superblock::{Gap, Superblock},
    walk::{Accepted, Scanned, Walked, nodes_of, walk},
};

/// Numbers go on this far above all that were ever seen: records of which nothing is left may have had numbers too,
/// but no journal of less than 128 GiB held more.
const NUMBERS_SKIPPED: u64 = 1 << 32;

impl Shared {
    pub(super) fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        let mut superblock = self.superblock.lock();
        if self.log.lock().phase != Phase::New {
            return Err(JournalError::Unavailable("the journal was recovered before".into()));
        }
        let (scanned, free, incarnation) = self.read_segments(&superblock)?;
        let any_number = self.bugs.has(Bug::AnyNumberTaken) || self.bugs.has(Bug::StaleBytesAccepted);
        let mut walked = walk(&superblock, &scanned, Accepted { loss: self.accept_loss, any_number })
            .map_err(|lost| JournalError::Corrupt(Box::new(Damage { lost, nodes: nodes_of(&scanned, lost) })))?;
        let seen = scanned.iter().flat_map(|segment| &segment.found).map(|found| found.head.sequence);
        let next = seen.fold(superblock.next.max(walked.next), u64::max);
        let next = if self.bugs.has(Bug::NumbersGivenAgain) { next } else { next + NUMBERS_SKIPPED };
        let next = next.max(above.0.saturating_add(1));
        let released = released(&scanned, &walked);
        let mut next_superblock = superblock.clone();
        if !self.bugs.has(Bug::IncarnationKept) {
            next_superblock.incarnation = incarnation + 1;
        }
        let (segments, left) = self.rebuild(&next_superblock, scanned, &walked, &released).map_err(as_journal_error)?;
        let records = records(&segments, &walked, &released)?;
        {
            let mut log = self.log.lock();
            log.next = next;
            // Numbers that were not given count as durable.
            log.durable = next - 1;
            log.live = segments.iter().map(|(segment, _)| segment.live as u64).sum();
            log.segments = segments.into_iter().map(|(segment, _)| segment).collect();
        }
        next_superblock.prepared = self.log.lock().segments.back().map_or(superblock.prepared, |last| last.number);
        self.refresh(&mut next_superblock);
        // The numbers of segments behind the end are given again.
        next_superblock.gaps.retain(|gap| gap.to.0 <= next_superblock.prepared);
        for gap in walked.gaps.drain(..) {
            next_superblock.bridge(gap);
        }
        if !walked.kept.is_empty() {
            next_superblock.bridge(Gap { from: walked.end, to: (next_superblock.prepared + 1, SEGMENT_HEAD), next });
        }
        next_superblock.write(&*self.folder).map_err(as_journal_error)?;
        *superblock = next_superblock;
        // Only now the files behind the log's end are no longer part of it.
        let free = self.of_right_length(free.into_iter().chain(left).collect());
        let mut log = self.log.lock();
        log.retired = free.into_iter().map(|slot| (0, Arc::new(slot))).collect();
        log.phase = Phase::Ready;
        log.recycle();
        *self.recovery.lock() = walked.recovery;
        Ok(records)
    }

    /// The segments of the log, files that are free, and the highest incarnation that any segment has.
    fn read_segments(&self, superblock: &Superblock) -> Result<(Vec<Scanned>, Vec<Slot>, u64), JournalError> {
        let mut files: BTreeMap<u64, (SegmentHead, Slot)> = BTreeMap::new();
        let mut free = Vec::new();
        let mut incarnation = superblock.incarnation;
        for name in self.folder.names().map_err(as_journal_error)? {
            let Some(index) = Slot::index(&name) else {
                continue;
            };
            self.slot_exists(index);
            let slot = Slot::open(&self.folder, &name).map_err(as_journal_error)?;
            let headed = match read_head(&slot, superblock.journal) {
                Err(_) if self.accept_loss => Headed::Bad,
                headed => headed.map_err(as_journal_error)?,
            };
            if let Headed::Head(head) = &headed {
                incarnation = incarnation.max(head.incarnation);
            }
            let head = match headed {
                Headed::Newer(version) => {
                    let refused = format!("a segment has version {version}, which is newer than this program");
                    return Err(JournalError::Corrupt(refused.into()));
                }
                Headed::Head(head) if (superblock.oldest..=superblock.prepared).contains(&head.number) => head,
                Headed::Head(_) | Headed::Bad => {
                    free.push(slot);
                    continue;
                }
            };
            let newer = files.get(&head.number).is_none_or(|(other, _)| other.incarnation < head.incarnation);
            let replaced = if newer { files.insert(head.number, (head, slot)) } else { Some((head, slot)) };
            free.extend(replaced.map(|(_, slot)| slot));
        }
        let mut buffer = Vec::new();
        let mut scanned = Vec::new();
        let (mut read, all) = (0, files.values().map(|(_, slot)| slot.bytes).sum());
        let progress = self.progress.lock().take();
        for number in superblock.oldest..=superblock.prepared {
            let file = files.remove(&number);
            let bytes = file.as_ref().map_or(0, |(_, slot)| slot.bytes);
            let found = match &file {
                Some((head, slot)) => {
                    scan(slot, self.seed(head), self.accept_loss, &mut buffer).map_err(as_journal_error)?
                }
                None => Vec::new(),
            };
            scanned.push(Scanned { number, file, found });
            read += bytes;
            if let Some(report) = &progress {
                report(read, all);
            }
        }
        Ok((scanned, free, incarnation))
    }

    /// Files of another length, or that could not be written to their end, are no use.
    fn of_right_length(&self, slots: Vec<Slot>) -> Vec<Slot> {
        let (right, wrong): (Vec<Slot>, Vec<Slot>) =
            slots.into_iter().partition(|slot| slot.bytes == self.segment_bytes);
        for slot in wrong {
            // One that stays is met again at the next start.
            let _ = self.folder.remove(&slot.name);
        }
        right
    }

    /// Segments as they are in a running journal, with the records' data that must be given out; and the files behind
    /// the log's end.
    fn rebuild(
        &self,
        superblock: &Superblock,
        scanned: Vec<Scanned>,
        walked: &Walked,
        released: &[bool],
    ) -> io::Result<(Vec<Rebuilt>, Vec<Slot>)> {
        let last = walked.kept.last().map(|(segment, _)| *segment);
        let mut segments: Vec<Rebuilt> = Vec::new();
        let mut left = Vec::new();
        for (index, scanned) in scanned.into_iter().enumerate() {
            if last.is_none_or(|last| index > last) {
                left.extend(scanned.file.map(|(_, slot)| slot));
                continue;
            }
            let (head, slot) = match scanned.file {
                Some(file) => file,
                None => self.stand_in(superblock, scanned.number)?,
            };
            // Data that the earlier process had not synced are in the page cache at best.
            slot.file.sync_data()?;
            let segment = Segment { sealed: true, ..Segment::new(scanned.number, Arc::new(slot), self.seed(&head)) };
            segments.push((segment, scanned.found));
        }
        for ((index, found), released) in walked.kept.iter().zip(released) {
            let Some((segment, all)) = segments.get_mut(*index) else {
                continue;
            };
            if let Some(found) = all.get(*found) {
                segment.note(&found.head, found.at + RECORD_HEAD as u64, *released || !found.head.is_data());
            }
        }
        Ok((segments, left))
    }

    /// An empty segment in place of one whose loss was accepted. It needs no head: a gap leads over it until it leaves
    /// the log.
    fn stand_in(&self, superblock: &Superblock, number: u64) -> io::Result<(SegmentHead, Slot)> {
        let slot = Slot::create(&self.folder, self.next_slot(), self.segment_bytes, Filling::Zeros)?;
        let Superblock { journal, incarnation, durable, .. } = *superblock;
        Ok((SegmentHead { journal, number, incarnation, bytes: slot.bytes, durable }, slot))
    }
}

/// A segment, and all that was found in its file.
type Rebuilt = (Segment, Vec<Found>);

/// For each record of the log whether it was released.
fn released(scanned: &[Scanned], walked: &Walked) -> Vec<bool> {
    let found: Vec<_> =
        walked.kept.iter().filter_map(|(segment, record)| scanned.get(*segment)?.found.get(*record)).collect();
    let mut released = vec![false; found.len()];
    for release in found.iter().filter(|found| found.head.kind == RELEASE) {
        for (first, count) in decode_released(&release.payload) {
            let from = found.partition_point(|found| found.head.sequence < first);
            let to = found.partition_point(|found| found.head.sequence < first.saturating_add(count));
            released.get_mut(from..to).unwrap_or_default().fill(true);
        }
    }
    released
}

fn records(segments: &[Rebuilt], walked: &Walked, released: &[bool]) -> Result<Vec<(Appended, Record)>, JournalError> {
    let mut records = Vec::new();
    for ((index, found), released) in walked.kept.iter().zip(released) {
        let Some((segment, all)) = segments.get(*index) else {
            continue;
        };
        let Some(found) = all.get(*found).filter(|found| !released && !found.head.is_own()) else {
            continue;
        };
        let at = found.at + RECORD_HEAD as u64;
        let data = data(&segment.slot, at, found.head.payload as usize).map_err(as_journal_error)?;
        let record = found.head.record(data).ok_or_else(|| {
            JournalError::Corrupt(format!("record {} is of an unknown kind", found.head.sequence).into())
        })?;
        let place = Place { segment: segment.number, at };
        records.push((Appended { sequence: Sequence(found.head.number()), place }, record));
    }
    // Copies come where the records were that they are copies of.
    records.sort_by_key(|(appended, _)| appended.sequence);
    Ok(records)
}

/// The data of a recovered record. From the map they take no memory: who recovers 4 GiB needs only their places.
fn data(slot: &Arc<Slot>, at: u64, len: usize) -> io::Result<Bytes> {
    if len == 0 {
        return Ok(Bytes::new());
    }
    if let Some(data) = map::borrow(slot, at, len) {
        return Ok(data);
    }
    let mut data = vec![0; len];
    slot.file.read_at(&mut data, at)?;
    Ok(data.into())
}
