//! The state of a running journal: its segments and where each record is.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, ErrorKind},
    sync::Arc,
    time::Instant,
};

use dittofs_domain::{Sequence, content::Place};
use dittofs_ports::{Appended, JournalError};

use super::{
    failure::SyncLoss,
    format::{RECORD_HEAD, RecordHead, SEGMENT_HEAD},
    slot::{Filling, Slot},
};

/// Head and payload up to this length go out in one call. Copying so little is taken to cost less than a second call of
/// the system.
const JOINED_MAX: usize = 16 << 10;

/// A segment that was synced fewer times than this gained nothing from the zeros that it was filled with.
const SYNCS_MANY: u32 = 32;

/// The journal's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for recovery.
    New,
    /// It works.
    Ready,
    /// It moves records out of segments that can't be synced.
    Moving,
    /// There was no room for that: it is tried again while somebody asks for something.
    Full,
    /// It can only be read.
    Stopped,
}

/// A segment of the log.
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) slot: Arc<Slot>,
    pub(super) seed: u32,
    /// Behind the last record.
    pub(super) end: u64,
    /// Behind the last record of a user.
    pub(super) data_end: u64,
    /// By place, and by number.
    pub(super) entries: Vec<Entry>,
    /// Records not released.
    pub(super) live: usize,
    /// Nothing is appended to it any more.
    pub(super) sealed: bool,
    /// How often it was synced before it was sealed.
    pub(super) syncs: u32,
    pub(super) tail: Tail,
}

/// The contents behind the last record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing that could be taken for a record.
    Clean,
    /// Perhaps a record that was refused: the next one goes over it, or it is wiped before the log goes on elsewhere.
    Spoiled,
    /// It was wiped, and no sync has covered that.
    Wiped,
}

/// A record in a segment.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Where its payload is.
    pub(super) at: u64,
    pub(super) len: u32,
    pub(super) released: bool,
    pub(super) sequence: u64,
    /// By which users know it.
    pub(super) number: u64,
    pub(super) node: u64,
}

/// Whether a record went in.
pub(super) enum Placing {
    At(Appended),
    /// A new segment must be prepared first.
    NeedsSegment,
}

pub(super) struct Log {
    pub(super) phase: Phase,
    /// Numbers are consecutive; only the last may be unsealed.
    pub(super) segments: VecDeque<Segment>,
    /// Ready to be appended to.
    pub(super) spare: Option<Segment>,
    /// The same: segments that were begun when records had to be moved, and there was no room for all of them. They come
    /// before the spare one.
    pub(super) set_aside: VecDeque<Segment>,
    /// Files of segments that left the log, with the segments' numbers.
    pub(super) retired: Vec<(u64, Arc<Slot>)>,
    /// Files of sealed segments that have records no sync has covered.
    pub(super) dirty: Vec<Arc<Slot>>,
    /// The number of the next record.
    pub(super) next: u64,
    pub(super) durable: u64,
    /// Records not released.
    pub(super) live: u64,
    /// Bytes of records that no sync has covered, or is just covering.
    pub(super) unsynced: u64,
    /// How often the segment that was sealed last had been synced.
    pub(super) last_syncs: u32,
    /// Where records went that were moved.
    pub(super) moved: HashMap<Place, Place>,
    pub(super) preparing: bool,
    pub(super) prepare_failed: Option<(ErrorKind, String)>,
    pub(super) syncing: bool,
    /// Syncs that failed for something else than want of room.
    pub(super) broken: u32,
    /// The last failure.
    pub(super) failed: Option<Arc<SyncLoss>>,
    /// The failures that lost something.
    pub(super) losses: Vec<Arc<SyncLoss>>,
    /// When moving was tried last and there was no room.
    pub(super) tried: Option<Instant>,
    pub(super) segment_bytes: u64,
    pub(super) limit: u64,
}

impl Log {
    pub(super) fn new(segment_bytes: u64, limit: u64) -> Log {
        Log {
            phase: Phase::New,
            segments: VecDeque::new(),
            spare: None,
            set_aside: VecDeque::new(),
            retired: Vec::new(),
            dirty: Vec::new(),
            next: 1,
            durable: 0,
            live: 0,
            unsynced: 0,
            last_syncs: u32::MAX,
            moved: HashMap::new(),
            preparing: false,
            prepare_failed: None,
            syncing: false,
            broken: 0,
            failed: None,
            losses: Vec::new(),
            tried: None,
            segment_bytes,
            limit,
        }
    }

    /// Appends a record to the active segment, or to the spare one.
    pub(super) fn append(&mut self, head: &RecordHead, payload: &[u8]) -> Result<Placing, JournalError> {
        let span = head.span();
        if SEGMENT_HEAD + span > self.segment_bytes {
            return Err(JournalError::Unavailable("a record is larger than a segment".into()));
        }
        let fits = self.segments.back().is_some_and(|active| active.has_room(span));
        let spanned = self.spanned(!fits) + span + if fits { 0 } else { SEGMENT_HEAD };
        if spanned > self.allowance(head.frees()) {
            return Err(JournalError::Full);
        }
        if !fits && !self.rotate().map_err(as_journal_error)? {
            return Ok(Placing::NeedsSegment);
        }
        let head = RecordHead { sequence: self.next, durable: self.durable, ..*head };
        let Some(active) = self.segments.back_mut() else {
            return Ok(Placing::NeedsSegment);
        };
        if let Err(error) = active.push(&head, payload) {
            // A head that reached the file all the same would be taken for the record that comes next. Where there is
            // no room, there may be none for zeros either: they come before the log leaves this segment.
            active.tail = Tail::Spoiled;
            if active.wipe().is_err_and(|wiping| !is_full(&wiping) || !is_full(&error)) {
                self.phase = Phase::Stopped;
            }
            return Err(as_journal_error(error));
        }
        self.next += 1;
        self.live += u64::from(head.is_data());
        self.unsynced += span;
        let at = active.end - span + RECORD_HEAD as u64;
        Ok(Placing::At(Appended { sequence: Sequence(head.number()), place: Place { segment: active.number, at } }))
    }

    /// Bytes of the log; the last segment counts in full if it is about to be sealed.
    fn spanned(&self, sealing: bool) -> u64 {
        let full = |segment: &Segment| if segment.sealed || sealing { segment.slot.bytes } else { segment.end };
        self.segments.iter().map(full).sum()
    }

    /// Returns the bytes that the log may grow to. A twentieth is kept for records that free space.
    fn allowance(&self, frees: bool) -> u64 {
        if frees { self.limit } else { self.limit - self.limit / 20 }
    }

    /// Bytes that can't be used for other records before something is released.
    pub(super) fn used(&self) -> u64 {
        if self.live == 0 {
            return 0;
        }
        let used = |segment: &Segment| if segment.sealed { segment.slot.bytes } else { segment.data_end };
        self.segments.iter().map(used).sum()
    }

    /// Returns the best filling for the next new file.
    pub(super) fn filling(&self) -> Filling {
        if self.last_syncs < SYNCS_MANY { Filling::Nothing } else { Filling::Zeros }
    }

    /// Goes on in a new segment, if one is ready.
    fn rotate(&mut self) -> io::Result<bool> {
        self.wipe()?;
        let Some(next) = self.next_segment() else {
            return Ok(false);
        };
        self.seal();
        self.segments.push_back(next);
        self.recycle();
        Ok(true)
    }

    /// The segment that comes next, if it is ready.
    pub(super) fn next_segment(&mut self) -> Option<Segment> {
        self.set_aside.pop_front().or_else(|| self.spare.take())
    }

    /// Leaves nothing behind the last record that could be taken for the one that will come elsewhere.
    pub(super) fn wipe(&mut self) -> io::Result<()> {
        self.segments.back_mut().map_or(Ok(()), Segment::wipe)
    }

    /// Gives the active segment up for another one where nothing in it is needed: for when there is no room for one
    /// more. Answers whether its file can be used again.
    pub(super) fn replace_active(&mut self) -> bool {
        if self.live > 0 || self.segments.is_empty() || self.phase != Phase::Ready || self.wipe().is_err() {
            return false;
        }
        self.seal();
        self.recycle();
        self.segments.is_empty()
    }

    pub(super) fn seal(&mut self) {
        let durable = self.durable;
        if let Some(active) = self.segments.back_mut().filter(|active| !active.sealed) {
            active.sealed = true;
            self.last_syncs = active.syncs;
            let is_synced = active.entries.last().is_none_or(|last| last.sequence <= durable);
            if !is_synced || active.tail == Tail::Wiped {
                self.dirty.push(Arc::clone(&active.slot));
            }
        }
    }

    /// Takes segments without live records off the front, in order: a record never goes before an earlier one that is
    /// live, because replay of a node depends on all that follows.
    pub(super) fn recycle(&mut self) {
        if self.phase == Phase::Moving {
            return;
        }
        while let Some(front) = self.segments.pop_front_if(|front| front.sealed && front.live == 0) {
            if !self.moved.is_empty() {
                self.moved.retain(|_, to| to.segment != front.number);
            }
            self.retired.push((front.number, front.slot));
        }
    }

    /// Releases records, and returns the places in the log, in order, of those that had not been.
    pub(super) fn release(&mut self, records: &[Appended]) -> Vec<Sequence> {
        let mut released = Vec::new();
        for record in records {
            let place = self.moved.get(&record.place).copied().unwrap_or(record.place);
            let Some(segment) = self.segment_mut(place.segment) else {
                continue;
            };
            let entry = segment.entries.binary_search_by_key(&place.at, |entry| entry.at).ok();
            let entry = entry.and_then(|index| segment.entries.get_mut(index));
            if let Some(entry) = entry.filter(|entry| !entry.released && entry.number == record.sequence.0) {
                entry.released = true;
                released.push(Sequence(entry.sequence));
                segment.live -= 1;
                self.live -= 1;
            }
        }
        released.sort_unstable();
        released
    }

    fn segment_mut(&mut self, number: u64) -> Option<&mut Segment> {
        let index = number.checked_sub(self.segments.front()?.number)?;
        self.segments.get_mut(usize::try_from(index).ok()?)
    }

    fn segment(&self, number: u64) -> Option<&Segment> {
        let index = number.checked_sub(self.segments.front()?.number)?;
        self.segments.get(usize::try_from(index).ok()?)
    }

    /// Where part of a record's data is in which file. None if the record is released, or not that long.
    pub(super) fn locate(&self, place: Place, skip: u32, len: u32) -> Option<(Arc<Slot>, u64)> {
        let place = self.moved.get(&place).copied().unwrap_or(place);
        let segment = self.segment(place.segment)?;
        let index = segment.entries.binary_search_by_key(&place.at, |entry| entry.at).ok()?;
        let entry = segment.entries.get(index).filter(|entry| !entry.released)?;
        let inside = u64::from(skip) + u64::from(len) <= u64::from(entry.len);
        inside.then(|| (Arc::clone(&segment.slot), entry.at + u64::from(skip)))
    }
}

impl Segment {
    pub(super) fn new(number: u64, slot: Arc<Slot>, seed: u32) -> Segment {
        let (entries, end) = (Vec::new(), SEGMENT_HEAD);
        let tail = Tail::Clean;
        Segment { number, slot, seed, end, data_end: end, entries, live: 0, sealed: false, syncs: 0, tail }
    }

    /// The same segment, as if nothing had been written to it.
    pub(super) fn emptied(self) -> Segment {
        Segment::new(self.number, self.slot, self.seed)
    }

    fn wipe(&mut self) -> io::Result<()> {
        if self.tail == Tail::Spoiled {
            self.slot.file.write_at(&[0; RECORD_HEAD], self.end)?;
            self.tail = Tail::Wiped;
        }
        Ok(())
    }

    pub(super) fn has_room(&self, span: u64) -> bool {
        !self.sealed && self.end + span <= self.slot.bytes
    }

    /// Writes a record into the page cache. An error leaves the segment as it was.
    pub(super) fn push(&mut self, head: &RecordHead, payload: &[u8]) -> io::Result<()> {
        let encoded = head.encode(self.seed);
        let at = self.end + RECORD_HEAD as u64;
        if payload.len() <= JOINED_MAX {
            let mut joined = Vec::with_capacity(RECORD_HEAD + payload.len());
            joined.extend_from_slice(&encoded);
            joined.extend_from_slice(payload);
            self.slot.file.write_at(&joined, self.end)?;
        } else {
            self.slot.file.write_at(payload, at)?;
            self.slot.file.write_at(&encoded, self.end)?;
        }
        self.note(head, at, !head.is_data());
        self.tail = Tail::Clean;
        Ok(())
    }

    /// Takes a record that is in the file into the segment's list.
    pub(super) fn note(&mut self, head: &RecordHead, at: u64, released: bool) {
        let (len, sequence, number, node) = (head.payload, head.sequence, head.number(), head.node);
        self.entries.push(Entry { at, len, released, sequence, number, node });
        self.live += usize::from(!released);
        self.end = at - RECORD_HEAD as u64 + head.span();
        if head.is_data() {
            self.data_end = self.end;
        }
    }
}

/// Whether there was no room for it.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

pub(super) fn as_journal_error(error: io::Error) -> JournalError {
    match kind_of(&error) {
        ErrorKind::WouldBlock => JournalError::Full,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => JournalError::DiskFull,
        _ => JournalError::Unavailable(error.into()),
    }
}

/// Returns the kind of a failure. Too many open files is a state that passes, as a full journal is.
pub(super) fn kind_of(error: &io::Error) -> ErrorKind {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => ErrorKind::WouldBlock,
        _ => error.kind(),
    }
}
