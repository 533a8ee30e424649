//! Random sequences of edits against the model.

use bytes::Bytes;
use dittofs_domain::content::{
    CHUNK_BYTES, PAGE_BYTES,
    map::{Piece, ReapCursor, Source},
};
use proptest::prelude::*;

use crate::{
    model::{Model, byte_of},
    store::{Store, stored},
};

#[derive(Clone, Debug)]
enum Step {
    Install(Vec<(u64, u32, Kind)>, u64),
    /// One block in each of many pages: what it takes to get beyond what a truncation removes at once.
    InstallMany {
        start: u64,
        count: u64,
    },
    Truncate(u64),
    Punch(u64, u64),
    ReapSome,
    Reap,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Stored,
    Inline,
    Hole,
}

/// Offsets near the edges of pages and chunks.
fn offset() -> impl Strategy<Value = u64> {
    let near = prop_oneof![Just(0i64), Just(-1), Just(1), -5000i64..5000, 0..(PAGE_BYTES as i64)];
    let edge = prop_oneof![
        3 => (0u64..6).prop_map(|page| page * PAGE_BYTES),
        2 => (60u64..70).prop_map(|page| page * PAGE_BYTES),
        2 => (0u64..5).prop_map(|chunk| chunk * CHUNK_BYTES),
        1 => (0u64..300).prop_map(|page| page * PAGE_BYTES),
        1 => Just(1u64 << 50),
    ];
    (edge, near).prop_map(|(edge, near)| edge.saturating_add_signed(near))
}

fn piece() -> impl Strategy<Value = (u64, u32, Kind)> {
    let len = prop_oneof![1u32..10_000, Just(4096), Just(1 << 20), Just(4 << 20), 1u32..(4 << 20)];
    let kind = prop_oneof![4 => Just(Kind::Stored), 1 => Just(Kind::Inline), 1 => Just(Kind::Hole)];
    (offset(), len, kind)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (prop::collection::vec(piece(), 1..5), prop_oneof![3 => Just(0u64), 1 => offset()])
            .prop_map(|(pieces, more)| Step::Install(pieces, more)),
        2 => (0u64..200, 50u64..200).prop_map(|(start, count)| Step::InstallMany { start, count }),
        4 => offset().prop_map(Step::Truncate),
        2 => (offset(), offset()).prop_map(|(a, b)| Step::Punch(a.min(b), a.max(b))),
        2 => Just(Step::ReapSome),
        1 => Just(Step::Reap),
    ]
}

struct Run {
    store: Store,
    model: Model,
    cursor: Option<ReapCursor>,
    objects: u128,
}

impl Run {
    fn piece(&mut self, offset: u64, len: u32, kind: Kind) -> Piece {
        self.objects += 1;
        match kind {
            Kind::Stored => stored(self.objects, offset, len),
            Kind::Hole => Piece { offset, len: u64::from(len), source: Source::Hole },
            Kind::Inline => {
                let bytes = Bytes::from(vec![self.objects as u8; 1 + len as usize % 5000]);
                Piece { offset, len: bytes.len() as u64, source: Source::Inline(bytes) }
            }
        }
    }

    fn install(&mut self, pieces: Vec<Piece>, more: u64) {
        for piece in &pieces {
            self.model.write(piece);
        }
        self.model.size = self.model.size.max(more);
        self.store.install(pieces, self.model.size);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Install(pieces, more) => {
                let pieces = pieces.into_iter().map(|(offset, len, kind)| self.piece(offset, len, kind)).collect();
                self.install(pieces, more);
            }
            Step::InstallMany { start, count } => {
                let pieces = (start..start + count).map(|page| self.piece(page * PAGE_BYTES + 7, 4096, Kind::Stored));
                let pieces = pieces.collect();
                self.install(pieces, 0);
            }
            Step::Truncate(size) => {
                self.model.truncate(size);
                self.store.truncate(size);
            }
            Step::Punch(start, end) => {
                self.model.punch(start, end);
                self.store.punch(start, end);
            }
            Step::ReapSome => self.cursor = self.store.reap_step(self.cursor),
            Step::Reap => {
                self.store.reap();
            }
        }
    }

    fn compare(&self) {
        assert_eq!(self.store.size, self.model.size);
        let pieces = self.store.resolve(0, self.model.size.min(4 << 30));
        let end = pieces.last().map_or(0, Piece::end);
        assert_eq!(end, self.model.size.min(4 << 30));
        assert!(pieces.windows(2).all(|pair| pair[0].end() == pair[1].offset), "gaps between pieces");
        for edge in self.model.edges() {
            for at in [edge.saturating_sub(1), edge, edge + 1] {
                if at < self.model.size {
                    let found = self.store.resolve(at, at + 1);
                    assert_eq!((found.len(), found[0].offset, found[0].len), (1, at, 1));
                    assert_eq!(byte_of(&found[0], at), self.model.byte(at), "byte {at}");
                }
            }
        }
        for piece in &pieces {
            for at in [piece.offset, piece.end() - 1] {
                assert_eq!(byte_of(piece, at), self.model.byte(at), "byte {at}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_edits_reads_as_the_model_and_keeps_the_invariants(
        steps in prop::collection::vec(step(), 1..14),
    ) {
        let mut run = Run { store: Store::new(), model: Model::default(), cursor: None, objects: 0 };
        for step in steps {
            run.step(step);
            run.store.check();
            run.compare();
        }
        run.store.reap();
        run.store.check();
        run.compare();
    }
}
