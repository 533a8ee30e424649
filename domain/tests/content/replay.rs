//! Map, slices and replay exclusions of two small files against their bytes: whatever is written, flushed, truncated,
//! punched and cloned, and
//! whenever the index is made anew of all records that there ever were.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{
    Sequence,
    content::{
        Place, ReplayExclusions,
        map::{Piece, Source},
        replay_exclusions,
        slices::{Part, Slice, SliceIndex},
    },
};
use proptest::prelude::*;

use crate::store::Store;

#[derive(Clone, Debug)]
enum Step {
    Write(u64, u64),
    Flush(u64),
    Truncate(u64),
    Punch(u64, u64),
    /// From the other file, or another place of the same one.
    Clone {
        own: bool,
        from: u64,
        len: u64,
        to: u64,
    },
    Crash,
}

struct File {
    store: Store,
    slices: SliceIndex,
    /// All that were ever written: a journal that has given none of them up.
    records: Vec<(Sequence, u64, Bytes)>,
    content_seq: Sequence,
    replay_exclusions: ReplayExclusions,
    /// The bytes that reads must return.
    bytes: Vec<u8>,
}

impl File {
    fn new() -> File {
        File {
            store: Store::new(),
            slices: SliceIndex::default(),
            records: Vec::new(),
            content_seq: Sequence(0),
            replay_exclusions: ReplayExclusions::default(),
            bytes: Vec::new(),
        }
    }

    fn slice(&self, slice: &Slice) -> Bytes {
        let (_, _, bytes) = self.records.iter().find(|(seq, ..)| *seq == slice.seq).unwrap();
        bytes.slice(slice.skip as usize..(slice.skip + slice.len) as usize)
    }

    fn write(&mut self, seq: u64, offset: u64, len: u64) {
        let bytes = Bytes::from(vec![1 + (seq % 255) as u8; len as usize]);
        self.slices.insert(offset, len as u32, Sequence(seq), Place::default(), 0);
        self.bytes.resize(self.bytes.len().max((offset + len) as usize), 0);
        self.bytes[offset as usize..(offset + len) as usize].copy_from_slice(&bytes);
        self.records.push((Sequence(seq), offset, bytes));
    }

    fn flush(&mut self, bytes_max: u64) {
        let up_to = self.slices.newest().unwrap_or_default();
        let slices = self.first(bytes_max);
        if slices.is_empty() {
            return;
        }
        let ranges: Vec<Range<u64>> = slices.iter().map(|slice| slice.offset..slice.end()).collect();
        let done = self.slices.content_seq_after(&ranges, up_to);
        let piece = |slice: &Slice| {
            let source = Source::Inline(self.slice(slice));
            Piece { offset: slice.offset, len: u64::from(slice.len), source }
        };
        self.store.install(slices.iter().map(piece).collect(), 0);
        self.slices.remove(&ranges, up_to);
        self.content_seq = self.content_seq.max(done);
        self.replay_exclusions = self.replay_exclusions.above(done);
    }

    /// Its slices, up to a number of bytes.
    fn first(&self, bytes_max: u64) -> Vec<Slice> {
        let mut left = bytes_max;
        let mut out = Vec::new();
        for slice in self.slices.iter() {
            out.extend(slice.cut(&(slice.offset..slice.offset + left.min(slice.len.into()))));
            left = left.saturating_sub(slice.len.into());
        }
        out
    }

    /// Removes a range, as a plan does: excludes it from a replay, and lets the index forget it.
    fn remove(&mut self, range: Range<u64>) {
        let Some(newest) = self.records.last().map(|(seq, ..)| *seq) else { return };
        self.slices.punch(range.clone());
        let update = replay_exclusions::replaced(&self.replay_exclusions, newest, range, !self.slices.is_empty(), true);
        self.replay_exclusions = update.exclusions.unwrap_or_else(|| self.replay_exclusions.clone());
        self.content_seq = self.content_seq.max(update.content_seq.unwrap_or_default());
    }

    /// Slices may be truncated only once the size that they gave the file is stored.
    fn store_size(&mut self) {
        let size = self.slices.end();
        if size > self.store.size {
            self.store.truncate(size);
        }
    }

    fn truncate(&mut self, size: u64) {
        self.store.truncate(size);
        self.remove(size..u64::MAX);
        self.bytes.resize(size as usize, 0);
    }

    fn punch(&mut self, start: u64, end: u64) {
        self.store_size();
        self.store.punch(start, end);
        self.remove(start..end);
        let len = self.bytes.len();
        self.bytes[(start as usize).min(len)..(end as usize).min(len)].fill(0);
    }

    fn crash(&mut self) {
        self.slices.clear();
        for (seq, offset, bytes) in self.records.iter().filter(|(seq, ..)| *seq > self.content_seq) {
            for range in self.replay_exclusions.left(*seq, *offset..offset + bytes.len() as u64) {
                let skip = (range.start - offset) as u32;
                self.slices.insert(range.start, (range.end - range.start) as u32, *seq, Place::default(), skip);
            }
        }
    }

    fn read(&self) -> Vec<u8> {
        let size = self.store.size.max(self.slices.end());
        let mut out = vec![0; size as usize];
        for piece in self.store.resolve(0, self.store.size) {
            if let Source::Inline(bytes) = &piece.source {
                out[piece.offset as usize..piece.end() as usize].copy_from_slice(bytes);
            }
        }
        for part in self.slices.read(0..size) {
            if let Part::Slice(slice) = part {
                out[slice.offset as usize..slice.end() as usize].copy_from_slice(&self.slice(&slice));
            }
        }
        out
    }
}

struct Run {
    files: [File; 2],
    seq: u64,
}

impl Run {
    fn step(&mut self, of: usize, step: &Step) {
        match *step {
            Step::Write(offset, len) => {
                self.seq += 1;
                self.files[of].write(self.seq, offset, len);
            }
            Step::Flush(bytes_max) => self.files[of].flush(bytes_max),
            Step::Truncate(size) => self.files[of].truncate(size),
            Step::Punch(start, end) => self.files[of].punch(start, end),
            Step::Clone { own, from, len, to } => self.clone_range(if own { of } else { 1 - of }, of, from, len, to),
            Step::Crash => self.files.iter_mut().for_each(File::crash),
        }
    }

    fn clone_range(&mut self, source: usize, of: usize, from: u64, len: u64, to: u64) {
        let end = (from + len).min(self.files[source].bytes.len() as u64);
        if from >= end || source == of && from < to + (end - from) && to < end {
            return;
        }
        self.files[source].flush(u64::MAX);
        self.files[of].store_size();
        let source = &mut self.files[source];
        let bytes = source.bytes[from as usize..end as usize].to_vec();
        let mut taken = Store::new();
        (taken.rows, taken.size, taken.pending_truncation) =
            (source.store.rows.clone(), source.store.size, source.store.pending_truncation);
        let file = &mut self.files[of];
        file.store.clone_of(&taken, from..end, to);
        let until = to + (end - from);
        file.remove(to..until);
        file.bytes.resize(file.bytes.len().max(until as usize), 0);
        file.bytes[to as usize..until as usize].copy_from_slice(&bytes);
    }
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0u64..6_000;
    prop_oneof![
        6 => (at(), 1u64..3_000).prop_map(|(offset, len)| Step::Write(offset, len)),
        3 => prop_oneof![Just(u64::MAX), 1u64..3_000].prop_map(Step::Flush),
        1 => at().prop_map(Step::Truncate),
        3 => (at(), at()).prop_map(|(a, b)| Step::Punch(a.min(b), a.max(b))),
        3 => (any::<bool>(), at(), 1u64..4_000, at())
            .prop_map(|(own, from, len, to)| Step::Clone { own, from, len, to }),
        2 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_truncated_punched_or_cloned_never_comes_back_and_the_rest_stays(
        steps in prop::collection::vec((0usize..2, step()), 1..24),
    ) {
        let mut run = Run { files: [File::new(), File::new()], seq: 0 };
        for (of, step) in steps {
            run.step(of, &step);
            for file in &run.files {
                prop_assert!(file.read() == file.bytes, "after {:?} of file {}", step, of);
                file.store.check();
            }
        }
    }
}
