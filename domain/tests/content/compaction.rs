//! Flushing by the policy: few extents a page, a bounded number of bytes written for each byte flushed.

use dittofs_domain::{
    Scale, Sequence,
    content::{
        EXTENTS_PER_PAGE_MAX, MapRow,
        map::{self, Piece},
        slices::{Place, SliceIndex},
    },
    flush,
    plan::MapQuery,
};
use proptest::prelude::*;

use crate::{
    model::{Byte, Model, byte_of},
    store::{NODE, Store, stored},
};

const SCALE: Scale = Scale::PRODUCTION;

struct File {
    store: Store,
    slices: SliceIndex,
    /// Knows which bytes were ever written.
    model: Model,
    writes: u64,
    objects: u128,
    flushed: u64,
    written: u64,
}

impl File {
    fn new(size: u64) -> File {
        let mut file = File {
            store: Store::new(),
            slices: SliceIndex::default(),
            model: Model::default(),
            writes: 0,
            objects: 0,
            flushed: 0,
            written: 0,
        };
        for offset in (0..size).step_by(1 << 20) {
            file.write(offset, 1 << 20);
        }
        file.flush();
        (file.flushed, file.written) = (0, 0);
        file
    }

    fn write(&mut self, offset: u64, len: u32) {
        self.writes += 1;
        self.slices.insert(offset, len, Sequence(self.writes), Place::default(), 0);
        self.model.write(&stored(u128::from(self.writes), offset, len));
    }

    fn flush(&mut self) {
        let up_to = self.slices.newest().unwrap_or_default();
        let size = self.store.size.max(self.slices.end());
        let (mut pieces, mut ranges, mut from) = (Vec::new(), Vec::new(), 0);
        while let Some(region) = self.slices.region_from(from, &SCALE) {
            from = region.end;
            let changed = region.changed();
            for block in flush::rewrite(region.start, &changed, &self.pages(region.start), size, &SCALE) {
                assert!(block.start >= region.start && block.end <= region.end);
                self.objects += 1;
                self.written += block.end - block.start;
                pieces.push(stored(self.objects, block.start, (block.end - block.start) as u32));
            }
            for changed in &changed {
                let is_in = |piece: &Piece| piece.offset <= changed.start && changed.end <= piece.end();
                assert!(pieces.iter().any(is_in), "{changed:?} is not written");
            }
            ranges.extend(changed);
        }
        self.flushed += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        for batch in map::batches(pieces, &SCALE) {
            let end = batch.iter().map(Piece::end).max().unwrap().max(self.store.size);
            assert_eq!(self.store.install(batch, end), Vec::<u64>::new(), "crowded pages");
        }
        self.slices.remove(&ranges, up_to);
        self.store.check();
    }

    fn pages(&self, start: u64) -> Vec<(u64, Vec<dittofs_domain::content::Extent>)> {
        let first_page = SCALE.page_of(start);
        let last_page = first_page + SCALE.region() / SCALE.page() - 1;
        let view = self.store.view(&MapQuery { node: NODE, first_page, last_page, rows_max: 8 });
        let page = |page| (page, map::page(&view, &self.store.facts(), page).unwrap());
        (first_page..=last_page).map(page).collect()
    }

    fn extents_max(&self) -> usize {
        let extents = |row: &MapRow| match row {
            MapRow::Page { extents, .. } => extents.len(),
            MapRow::Holes { .. } => 0,
        };
        self.store.rows.values().map(extents).max().unwrap_or(0)
    }

    fn amplification(&self) -> f64 {
        self.written as f64 / self.flushed as f64
    }
}

/// The same random numbers at every run.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn random_writes(size: u64, per_flush: u64, writes: u64, seed: u64) -> File {
    let mut file = File::new(size);
    let mut random = Lcg(seed);
    for write in 1..=writes {
        file.write(random.below(size / 4_096) * 4_096, 4_096);
        if write % per_flush == 0 {
            file.flush();
        }
    }
    file.flush();
    file
}

#[test]
fn random_writes_keep_pages_small_and_the_amplification_bounded() {
    for (size, per_flush, bound) in [(1, 1, 20.0), (4, 16, 20.0), (16, 64, 20.0), (16, 1_000, 12.0), (64, 4_000, 12.0)]
    {
        let file = random_writes(size << 20, per_flush, 12_000.min(per_flush * 400), 42);
        let amplification = file.amplification();
        println!("{size} MiB, {per_flush} writes a flush: {amplification:.1}, {} extents", file.extents_max());
        assert!(amplification < bound, "{amplification}");
        assert!(file.extents_max() <= EXTENTS_PER_PAGE_MAX);
    }
}

#[test]
fn a_log_that_is_committed_line_by_line_is_not_rewritten_again_and_again() {
    let mut file = File::new(0);
    let mut offset = 0;
    for line in 0..20_000 {
        let len = 60 + line % 80;
        file.write(offset, len);
        offset += u64::from(len);
        file.flush();
    }
    println!("a log: {:.1}, {} extents", file.amplification(), file.extents_max());
    assert!(file.amplification() < 8.0, "{}", file.amplification());
    assert!(file.extents_max() <= EXTENTS_PER_PAGE_MAX);
}

#[test]
fn writing_in_order_is_written_about_once() {
    let mut file = File::new(0);
    for block in 0..2_000u64 {
        file.write(block * 65_536, 65_536);
        if block % 23 == 0 {
            file.flush();
        }
    }
    file.flush();
    println!("in order: {:.2}", file.amplification());
    assert!(file.amplification() < 1.7, "{}", file.amplification());
    assert!(file.store.resolve(0, 4 << 20).len() <= 8);
}

#[test]
fn a_sparse_file_stays_sparse() {
    let mut file = File::new(0);
    let mut random = Lcg(7);
    for _ in 0..2_000 {
        file.write(random.below(1 << 40), 4_096);
    }
    file.flush();
    assert!((file.amplification() - 1.0).abs() < 0.01);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_writes_and_flushes_keep_the_limit(
        seed in any::<u64>(),
        size_mib in 1u64..12,
        per_flush in prop_oneof![1u64..10, 10u64..300],
        lens in prop::collection::vec(prop_oneof![1u32..600, Just(4_096), 1u32..200_000], 100..600),
    ) {
        let mut file = File::new(0);
        let mut random = Lcg(seed);
        for (write, len) in (1..).zip(lens) {
            file.write(random.below(size_mib << 20), len);
            if write % per_flush == 0 {
                file.flush();
            }
        }
        file.flush();
        prop_assert!(file.extents_max() <= EXTENTS_PER_PAGE_MAX);
        prop_assert!(file.slices.is_empty());
        let pieces = file.store.resolve(0, file.model.size);
        for piece in &pieces {
            for at in [piece.offset, piece.end() - 1] {
                let is_zero = file.model.byte(at) == Byte::Zero;
                prop_assert!(is_zero || byte_of(piece, at) != Byte::Zero, "byte {} is lost", at);
            }
        }
    }
}
