//! Content and attributes of a file, as far as clients know them.

use std::ops::Range;

use dittofs_domain::{ChangeId, Scale, Timestamp};

use super::{
    bytes::{Bytes, Source},
    register::{Moment, OpNumber, Register, Window},
};

/// The time of change of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mtime {
    /// Whatever the clock said.
    Any,
    /// A time that a client has set.
    Set(Timestamp),
}

/// A write that was acknowledged and may be lost.
#[derive(Clone, Debug)]
pub(crate) struct Unstable {
    pub(crate) window: Window,
    pub(crate) range: Range<u64>,
    pub(crate) ended: Moment,
    pub(crate) verifier: u64,
    pub(crate) seen: (ChangeId, Timestamp),
}

/// A file.
pub(crate) struct FileModel {
    pub(crate) bytes: Bytes,
    pub(crate) size: Register<u64>,
    pub(crate) mtime: Register<Mtime>,
    pub(crate) mode: Register<u16>,
    pub(crate) unstable: Vec<Unstable>,
    /// Writes on their way: where they end.
    growing: Vec<(OpNumber, u64)>,
    /// A clone on its way, and where it may end before its end.
    growing_in_pieces: Option<(OpNumber, Vec<u64>)>,
    /// Punches on their way. Where there are many holes they write zeros, first into memory.
    punching: Vec<OpNumber>,
    /// The newest write of this life of which nobody knows what became: it may be in memory only.
    unknown: OpNumber,
    page_bytes: u64,
}

impl FileModel {
    pub(crate) fn new(scale: &Scale) -> FileModel {
        FileModel {
            bytes: Bytes::new(scale.region()),
            size: Register::new(0),
            mtime: Register::new(Mtime::Any),
            mode: Register::new(0o644),
            unstable: Vec::new(),
            growing: Vec::new(),
            growing_in_pieces: None,
            punching: Vec::new(),
            unknown: 0,
            page_bytes: scale.page(),
        }
    }

    pub(crate) fn begin_write(&mut self, op: OpNumber, range: &Range<u64>, phase: u64) {
        self.bytes.begin_write(op, range, Source::Written(phase));
        self.growing.push((op, range.end));
        self.grow();
        self.mtime.begin(op, Mtime::Any);
    }

    /// Whether somebody has written since an operation began, and perhaps only into memory: its answer may show that.
    pub(crate) fn is_written_since(&self, op: OpNumber) -> bool {
        self.growing.iter().any(|(other, _)| *other > op)
            || self.unstable.iter().any(|write| write.window.op > op)
            || self.punching.iter().any(|other| *other != op)
            || self.unknown > op
    }

    /// Adds the sizes that writes on their way may make.
    fn grow(&mut self) {
        for _ in 0..self.growing.len() {
            for (op, end) in &self.growing {
                self.size.begin_from(*op, |size| (*size).max(*end));
            }
        }
        if let Some((op, ends)) = &self.growing_in_pieces {
            for end in ends {
                self.size.begin_from(*op, |size| (*size).max(*end));
            }
        }
    }

    /// It has not ended in the middle, or nobody knows.
    fn end_pieces(&mut self, op: OpNumber, whole: Option<(u64, Moment)>) {
        if self.growing_in_pieces.take_if(|(other, _)| *other == op).is_some()
            && let Some((end, now)) = whole
        {
            self.size.leave_own(op, now, |size| *size >= end);
        }
    }

    pub(crate) fn write_done(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        self.growing.retain(|(op, _)| *op != window.op);
        self.end_pieces(window.op, Some((range.end, now)));
        self.bytes.acknowledge(window, range, now);
        self.size.acknowledge(window, now, |size| *size < range.end);
        self.mtime.acknowledge(window, now, |_| true);
    }

    pub(crate) fn write_durable(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        self.bytes.make_durable(window, range, now);
        self.size.make_durable(window, now, |size| *size < range.end);
        self.mtime.make_durable(window, now, |_| true);
    }

    pub(crate) fn write_refused(&mut self, op: OpNumber, range: &Range<u64>) {
        self.growing.retain(|(other, _)| *other != op);
        self.punching.retain(|other| *other != op);
        self.end_pieces(op, None);
        self.bytes.refuse(op, range);
        self.size.refuse(op);
        self.mtime.refuse(op);
    }

    pub(crate) fn write_unknown(&mut self, op: OpNumber, range: &Range<u64>, now: Moment) {
        self.growing.retain(|(other, _)| *other != op);
        self.punching.retain(|other| *other != op);
        self.unknown = self.unknown.max(op);
        self.end_pieces(op, None);
        self.bytes.finish(op, range, now);
        self.size.finish(op, now);
        self.mtime.finish(op, now);
    }

    /// A range gets what another file has from an offset on. What one plan does not hold is done in pieces that end at
    /// pages of either file.
    pub(crate) fn begin_clone(&mut self, op: OpNumber, range: &Range<u64>, from: u64) {
        let source = from..from + (range.end - range.start);
        let mut ends: Vec<u64> = self.page_ends(&source).map(|end| end - from + range.start).collect();
        ends.extend(self.page_ends(range));
        ends.sort_unstable();
        ends.dedup();
        self.bytes.begin_in_pieces(op, range, &ends, Source::Unknown);
        self.growing.push((op, range.end));
        self.growing_in_pieces = Some((op, ends));
        self.grow();
        self.mtime.begin(op, Mtime::Any);
    }

    pub(crate) fn begin_punch(&mut self, op: OpNumber, range: &Range<u64>) {
        let ends: Vec<u64> = self.page_ends(range).collect();
        self.bytes.begin_in_pieces(op, range, &ends, Source::Zero);
        self.punching.push(op);
        self.mtime.begin(op, Mtime::Any);
    }

    /// The ends of pages inside a range.
    fn page_ends(&self, range: &Range<u64>) -> impl Iterator<Item = u64> + use<> {
        let page_bytes = self.page_bytes;
        (range.start / page_bytes + 1..range.end.div_ceil(page_bytes)).map(move |page| page * page_bytes)
    }

    /// A punch is durable when it is answered.
    pub(crate) fn punch_done(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        self.punching.retain(|op| *op != window.op);
        self.bytes.acknowledge(window, range, now);
        self.bytes.make_durable(window, range, now);
        self.mtime.acknowledge(window, now, |_| true);
        self.mtime.make_durable(window, now, |_| true);
    }

    pub(crate) fn begin_truncate(&mut self, op: OpNumber, size: u64) {
        self.bytes.begin(op, &(size..u64::MAX), Source::Zero);
        self.size.begin(op, size);
        self.grow();
        self.mtime.begin(op, Mtime::Any);
    }

    /// A truncation is durable when it is answered.
    pub(crate) fn truncate_done(&mut self, window: Window, size: u64, now: Moment) {
        self.bytes.acknowledge(window, &(size..u64::MAX), now);
        self.bytes.make_durable(window, &(size..u64::MAX), now);
        self.size.acknowledge(window, now, |_| true);
        self.size.make_durable(window, now, |_| true);
        self.mtime.acknowledge(window, now, |_| true);
        self.mtime.make_durable(window, now, |_| true);
    }

    pub(crate) fn truncate_refused(&mut self, op: OpNumber, size: u64) {
        self.bytes.refuse(op, &(size..u64::MAX));
        self.size.refuse(op);
        self.mtime.refuse(op);
    }

    pub(crate) fn truncate_unknown(&mut self, op: OpNumber, size: u64, now: Moment) {
        self.bytes.finish(op, &(size..u64::MAX), now);
        self.size.finish(op, now);
        self.mtime.finish(op, now);
    }

    /// Times or a mode were set: durable when it is answered.
    pub(crate) fn attributes_set(&mut self, window: Window, time: bool, mode: bool, now: Moment) {
        if time {
            self.mtime.acknowledge(window, now, |_| true);
            self.mtime.make_durable(window, now, |_| true);
        }
        if mode {
            self.mode.acknowledge(window, now, |_| true);
            self.mode.make_durable(window, now, |_| true);
        }
    }

    /// A commit that began then was answered with this verifier; what became durable, as it was shown.
    pub(crate) fn committed(&mut self, start: Moment, verifier: u64, now: Moment) -> Vec<(ChangeId, Timestamp)> {
        let (durable, rest) = std::mem::take(&mut self.unstable)
            .into_iter()
            .partition(|write: &Unstable| write.ended < start && write.verifier == verifier);
        self.unstable = rest;
        for write in &durable {
            self.write_durable(write.window, &write.range, now);
        }
        durable.iter().map(|write| write.seen).collect()
    }

    pub(crate) fn crash(&mut self, now: Moment) {
        self.growing.clear();
        self.punching.clear();
        self.unknown = 0;
        self.growing_in_pieces = None;
        self.size.crash(now);
        self.tear_size(now);
        self.bytes.crash(now);
        self.mtime.crash(now);
        self.mode.crash(now);
        self.unstable.clear();
    }

    /// Makes the file as long as the parts that are left of writes that may be lost.
    fn tear_size(&mut self, now: Moment) {
        for (op, end) in self.bytes.torn() {
            self.size.begin_from(op, |size| (*size).max(end));
            if self.growing.iter().all(|(other, _)| *other != op) {
                self.size.finish(op, now);
            }
        }
    }

    pub(crate) fn lose(&mut self, now: Moment) {
        self.size.lose();
        self.tear_size(now);
        self.bytes.lose();
        self.mtime.lose();
        self.unstable.clear();
        self.grow();
    }

    pub(crate) fn forget(&mut self, oldest: Moment) {
        self.bytes.forget(oldest);
        self.size.forget(oldest);
        self.mtime.forget(oldest);
        self.mode.forget(oldest);
    }
}
