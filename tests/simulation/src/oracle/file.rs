//! Content and attributes of a file, as far as clients know them.

use std::ops::Range;

use dittofs_domain::{ChangeId, Timestamp};

use super::{
    bytes::{Bytes, Source},
    register::{Moment, OpNumber, Register, Window},
};

/// The time of change of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mtime {
    /// Whatever the clock said.
    Any,
    /// What a client has set.
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
}

impl FileModel {
    pub(crate) fn new() -> FileModel {
        FileModel {
            bytes: Bytes::new(),
            size: Register::new(0),
            mtime: Register::new(Mtime::Any),
            mode: Register::new(0o644),
            unstable: Vec::new(),
            growing: Vec::new(),
        }
    }

    pub(crate) fn begin_write(&mut self, op: OpNumber, range: &Range<u64>, phase: u64) {
        self.bytes.begin(op, range, Source::Written(phase));
        self.growing.push((op, range.end));
        self.grow();
        self.mtime.begin(op, Mtime::Any);
    }

    /// What writes on their way may make of the size.
    fn grow(&mut self) {
        for _ in 0..self.growing.len() {
            for (op, end) in &self.growing {
                self.size.begin_from(*op, |size| (*size).max(*end));
            }
        }
    }

    pub(crate) fn write_done(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        self.growing.retain(|(op, _)| *op != window.op);
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
        self.bytes.refuse(op, range);
        self.size.refuse(op);
        self.mtime.refuse(op);
    }

    pub(crate) fn write_unknown(&mut self, op: OpNumber, range: &Range<u64>, now: Moment) {
        self.growing.retain(|(other, _)| *other != op);
        self.bytes.finish(op, range, now);
        self.size.finish(op, now);
        self.mtime.finish(op, now);
    }

    /// A range gets what another file has.
    pub(crate) fn begin_clone(&mut self, op: OpNumber, range: &Range<u64>) {
        self.bytes.begin(op, range, Source::Unknown);
        self.growing.push((op, range.end));
        self.grow();
        self.mtime.begin(op, Mtime::Any);
    }

    pub(crate) fn begin_punch(&mut self, op: OpNumber, range: &Range<u64>) {
        self.bytes.begin(op, range, Source::Zero);
        self.mtime.begin(op, Mtime::Any);
    }

    /// A punch is durable when it is answered.
    pub(crate) fn punch_done(&mut self, window: Window, range: &Range<u64>, now: Moment) {
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
        self.bytes.crash(now);
        self.size.crash(now);
        self.mtime.crash(now);
        self.mode.crash(now);
        self.unstable.clear();
        self.growing.clear();
    }

    pub(crate) fn lose(&mut self, _now: Moment) {
        self.bytes.lose();
        self.size.lose();
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
