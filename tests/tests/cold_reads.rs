//! Reads of a file that nobody has in memory, at every place where something changes: at the edges of pages, regions,
//! chunks, extents, blocks and frames, and all over the file. Each read fetches what it needs anew.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, ops::Range, path::Path, sync::Arc};

use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId,
    content::{CHUNK_BYTES, Extent, FRAME_BYTES, MapRow, PAGE_BYTES},
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, SetAttributes},
    plan::{Change, MapQuery, NodeUpdate, Plan, Query, Statistics},
};
use dittofs_frame_codec::{Codec, CompressionMethod, CompressionOptions};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{AdminService, BlockService, Caller, ContentStore, MetadataService, MetadataStore, Stability};
use dittofs_tests::world::{DiskOptions, SHARE, SteppedClock, Stores, World, WorldOptions, caller, keys};

const FRAME: u64 = FRAME_BYTES as u64;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const REGION: u64 = 4 * MIB;
/// The pattern spans the boundary of a region and is put before that of a chunk too.
const SIZE: u64 = 5 * MIB + 777;
/// The bytes that a truncation removes from the last page, and that come back as zeros.
const CUT: u64 = 500;
const TAIL: usize = 1_234;
const DISK: DiskOptions = DiskOptions {
    journal_bytes: 32 << 20,
    segment_bytes: 4 << 20,
    cache_bytes: 1 << 20,
    metadata_bytes: [1 << 20, 64 << 10, 64 << 10],
};

/// The writes, each with a flush behind it: where, how many bytes, and whether they can be compressed.
const WRITES: [&[(u64, u64, bool)]; 4] = [
    &[(0, 700_001, true), (MIB - 5, 3 * FRAME + 11, false), (3 * MIB, 2 * MIB + 777, true)],
    // Into blocks that are there, so that extents begin inside of frames.
    &[(FRAME - 1, 2, false), (3 * FRAME + 17, FRAME, true), (REGION - 3_000, 6_000, false)],
    // Small ones among holes.
    &[(2 * MIB + 1, 1, false), (2 * MIB + 5_000, 4_096, true), (3 * MIB - 70_000, 69_999, false)],
    &[(MIB + 40_000, 300_000, true), (5 * MIB + 776, 1, false)],
];

/// Stores that are opened again and again with the same in them.
enum Kept {
    Memory(Arc<MemoryMetadataStore>, Arc<MemoryContentStore>),
    Disk(tempfile::TempDir),
}

impl Kept {
    fn memory() -> Kept {
        Kept::Memory(Arc::new(MemoryMetadataStore::new()), Arc::new(MemoryContentStore::new()))
    }

    async fn stores(&self) -> Stores {
        let stores = match self {
            Kept::Memory(metadata, content) => Stores {
                metadata: Arc::clone(metadata) as Arc<dyn MetadataStore>,
                content: Arc::clone(content) as Arc<dyn ContentStore>,
                journal: Arc::new(NullJournal::new(64 << 20)),
                cache: Arc::new(NoBlockCache),
                opens: Arc::new(MemoryOpenState::new()),
            },
            Kept::Disk(folder) => on_disk(folder.path()).await,
        };
        Stores { cache: Arc::new(NoBlockCache), ..stores }
    }

    async fn open(&self, compresses: bool, seals: bool) -> World {
        let method = if compresses { CompressionMethod::Zstd } else { CompressionMethod::None };
        let codec = Codec::new(&CompressionOptions { method, ..CompressionOptions::default() });
        let options = WorldOptions { codec, sealer: keys(3, seals), ..WorldOptions::new(32 << 20, 1) };
        World::open_with(self.stores().await, options).await
    }
}

async fn on_disk(folder: &Path) -> Stores {
    DISK.open(folder).await
}

/// Bytes of which no run is anywhere else; those that can be compressed are mostly zeros.
fn pattern(at: u64, length: u64, compressible: bool) -> Vec<u8> {
    let byte = |at: u64| match compressible && !at.is_multiple_of(97) {
        true => 0,
        false => (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as u8,
    };
    (at..at + length).map(byte).collect()
}

/// A file, and what is in it from `base` on; before there are only zeros.
struct Known {
    node: NodeId,
    base: u64,
    bytes: Vec<u8>,
}

impl Known {
    async fn write(world: &World, caller: &Caller, base: u64) -> Known {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(format!("from {base}").as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o600), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let node = world.share.create(caller, &request, None).await.unwrap().node.node;
        let mut bytes = vec![0; SIZE as usize];
        for writes in WRITES {
            for (at, length, compressible) in writes {
                let data = pattern(*at, *length, *compressible);
                bytes[*at as usize..][..data.len()].copy_from_slice(&data);
                for (number, part) in (0..).zip(data.chunks(MIB as usize)) {
                    let (at, part) = (base + at + number * MIB, Bytes::copy_from_slice(part));
                    world.share.write(caller, node, at, part, Stability::Unstable).await.unwrap();
                }
            }
            world.services.flush().await.unwrap();
        }
        // Truncated inside a frame and made longer again: the bytes that the truncation removed are zeros.
        for size in [SIZE - CUT, SIZE] {
            let request = SetAttributes::size(base + size);
            world.share.set_attributes(caller, node, &request, None).await.unwrap();
        }
        bytes[(SIZE - CUT) as usize..].fill(0);
        world.services.flush().await.unwrap();
        let mut known = Known { node, base, bytes };
        known.add_inline_tail(world).await;
        known
    }

    async fn pages(&self, world: &World) -> Vec<(u64, MapRow)> {
        let map = MapQuery { node: self.node, first_page: 0, last_page: u64::MAX, rows_max: 1_000 };
        let view = world.metadata.view(&Query { map: Some(map), ..Query::default() }).await.unwrap();
        view.map.rows.to_vec()
    }

    /// A flush to a folder writes no inline extents, but a map may have them.
    async fn add_inline_tail(&mut self, world: &World) {
        let (page, row) = self.pages(world).await.pop().unwrap();
        let size = self.base + self.bytes.len() as u64;
        let MapRow::Page { version, mut extents } = row else { panic!("the last page is a hole") };
        let Some(Extent::Hole { len }) = extents.pop() else { panic!("the end is not inside of a page") };
        let (before, tail) = (len - (PAGE_BYTES - size % PAGE_BYTES) as u32, pattern(size, TAIL as u64, false));
        extents.extend((before > 0).then_some(Extent::Hole { len: before }));
        extents.push(Extent::Inline(tail.clone().into()));
        extents.push(Extent::Hole { len: len - before - TAIL as u32 });
        let mut plan = Plan::at(SteppedClock::START);
        plan.change(Change::PutRow { node: self.node, page, row: MapRow::Page { version, extents } });
        let update = NodeUpdate { size: Some(size + TAIL as u64), allocated: TAIL as i64, ..NodeUpdate::default() };
        plan.change(Change::UpdateNode(self.node, update));
        plan.change(Change::Count(Statistics { bytes: TAIL as i64, nodes: 0 }));
        world.metadata.apply(plan, None).await.unwrap();
        self.bytes.extend(tail);
    }

    /// Where something changes in the file, and how many frames there are.
    async fn edges(&self, world: &World) -> (BTreeSet<u64>, usize) {
        let end = self.base + self.bytes.len() as u64;
        let mut edges: BTreeSet<u64> = [self.base, end, self.base.next_multiple_of(CHUNK_BYTES)].into();
        for step in [PAGE_BYTES, REGION, CHUNK_BYTES] {
            edges.extend((self.base.next_multiple_of(step)..=end).step_by(step as usize));
            edges.extend((self.base..=end).step_by(step as usize));
        }
        let mut frames = 0;
        for (page, row) in self.pages(world).await {
            let MapRow::Page { extents, .. } = row else { continue };
            let mut at = page * PAGE_BYTES;
            for extent in &extents {
                let inside = at..at + u64::from(extent.len());
                edges.insert(at);
                if let Extent::Stored { from, .. } = extent {
                    let skip = u64::from(from.skip);
                    let starts = (skip.next_multiple_of(FRAME)..skip + u64::from(extent.len())).step_by(FRAME as usize);
                    edges.extend(starts.map(|raw| at + raw - skip));
                    frames += (extent.len() / FRAME_BYTES) as usize + 1;
                }
                at = inside.end;
            }
        }
        edges.retain(|at| (self.base.saturating_sub(PAGE_BYTES)..=end).contains(at));
        (edges, frames)
    }

    async fn compare(&self, world: &World, caller: &Caller, range: Range<u64>) {
        let length = (range.end - range.start) as u32;
        let reply = world.share.read(caller, self.node, range.start, length).await;
        let reply = reply.unwrap_or_else(|error| panic!("{range:?}: {error}"));
        let end = self.base + self.bytes.len() as u64;
        let expected = (range.start..range.end.min(end))
            .map(|at| at.checked_sub(self.base).map_or(0, |at| self.bytes[at as usize]));
        let expected: Vec<u8> = expected.collect();
        let read = reply.data.concat();
        let differs = read.iter().zip(&expected).position(|(read, expected)| read != expected);
        assert_eq!((read.len(), differs), (expected.len(), None), "{range:?} of the file from {}", self.base);
        assert_eq!(reply.end_of_file, range.end >= end, "{range:?}");
    }

    async fn compare_everywhere(&self, world: &World, caller: &Caller) -> usize {
        let (edges, frames) = self.edges(world).await;
        assert!(frames > 20 && edges.len() > 40, "{frames} frames, {} edges", edges.len());
        let end = self.base + self.bytes.len() as u64;
        let mut reads = 0;
        let mut all: BTreeSet<(u64, u64)> = BTreeSet::new();
        for edge in &edges {
            for at in [edge.saturating_sub(4_097), edge.saturating_sub(1), *edge, edge + 1] {
                all.extend([1, 2, 511, 4_098, FRAME + 1].map(|length| (at, length)));
            }
            all.insert((*edge, MIB));
        }
        let strides = [(10_007, 8 * KIB), (77_777, 77_777)];
        for (step, length) in strides {
            all.extend((self.base..end + step).step_by(step as usize).map(|at| (at, length)));
        }
        for (at, length) in all {
            self.compare(world, caller, at..at + length).await;
            reads += 1;
        }
        reads
    }
}

fn every_offset_reads_right(kept: &Kept, compresses: bool, seals: bool) {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let caller = caller(Credentials::root());
    let written = runtime().block_on(async {
        let world = kept.open(compresses, seals).await;
        let known =
            [Known::write(&world, &caller, 0).await, Known::write(&world, &caller, CHUNK_BYTES - 2 * MIB).await];
        world.close().await;
        known
    });
    runtime().block_on(async {
        // Each block says whether it is compressed and sealed: the configuration may have changed meanwhile.
        let world = kept.open(!compresses, !seals).await;
        for known in &written {
            let reads = known.compare_everywhere(&world, &caller).await;
            assert!(reads > 1_400, "only {reads} reads");
        }
        let report = world.services.check(SHARE, Default::default(), Arc::new(())).await.unwrap();
        assert!(report.is_clean(), "{report:#?}");
        world.close().await;
    });
}

#[test]
fn every_offset_of_a_cold_file_reads_right_from_memory() {
    every_offset_reads_right(&Kept::memory(), false, false);
}

#[test]
fn every_offset_of_a_cold_compressed_file_reads_right_from_memory() {
    every_offset_reads_right(&Kept::memory(), true, false);
}

#[test]
fn every_offset_of_a_cold_file_reads_right_from_a_folder() {
    every_offset_reads_right(&Kept::Disk(tempfile::tempdir().unwrap()), false, false);
}

#[test]
fn every_offset_of_a_cold_compressed_file_reads_right_from_a_folder() {
    every_offset_reads_right(&Kept::Disk(tempfile::tempdir().unwrap()), true, false);
}

#[test]
fn every_offset_of_a_cold_sealed_file_reads_right_from_memory() {
    every_offset_reads_right(&Kept::memory(), false, true);
}

#[test]
fn every_offset_of_a_cold_compressed_and_sealed_file_reads_right_from_a_folder() {
    every_offset_reads_right(&Kept::Disk(tempfile::tempdir().unwrap()), true, true);
}
