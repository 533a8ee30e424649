//! Removal and truncation of a huge file: small plans, while others go on.
//!
//! The file has 64 GiB, or 1 TiB where the environment variable `LONG_CONFORMANCE` is 1: a row for each MiB.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use dittofs_domain::{
    ContentVersion, Credentials, Epoch, KeyId, NodeId, NodeKind, ObjectId, PlaceId, Scale,
    content::{
        BlockPlace, Extent, MapRow, PAGE_BYTES, Stored,
        map::{
            Facts, Source, reap_node, reap_node_query, reap_truncation, reap_truncation_query, resolve, resolve_query,
        },
    },
    namespace::{RemoveKind, RemoveRequest, SetAttributes},
    plan::{
        Change, Expectation, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Reference, Statistics, UnlinkedReason,
    },
};
use dittofs_ports::MetadataStore;

use super::{
    Fixture,
    fixture::{name, time},
    request::{Act, Request, fresh},
};

const OBJECT: ObjectId = ObjectId(0xB16);
/// Pages whose rows are put by one plan while the file is made.
const SCALE: Scale = Scale::PRODUCTION;
const BATCH: u64 = 32 * SCALE.chunk_bytes / SCALE.page_bytes as u64;
/// Steps that a removal or truncation may have itself: the reaper does the rest.
const STEPS_MAX: usize = 300;

fn pages() -> u64 {
    let long = std::env::var("LONG_CONFORMANCE").is_ok_and(|value| value == "1");
    if long { 1 << 20 } else { 1 << 16 }
}

fn row(page: u64) -> MapRow {
    let block =
        BlockPlace { at: page % 16 * PAGE_BYTES, stored_len: 1 << 20, raw_len: 1 << 20, codec: 0, key_id: KeyId::NONE };
    let from = Stored { object: OBJECT, block, skip: 0 };
    MapRow::Page { version: ContentVersion(0), extents: vec![Extent::Stored { len: PAGE_BYTES as u32, from }] }
}

/// Makes `/huge`, full of bytes.
async fn huge(fixture: &Fixture) -> NodeId {
    let node = fixture.add(NodeId::ROOT, "huge", NodeKind::File).await;
    let object = ObjectRecord {
        id: OBJECT,
        state: ObjectState::Live,
        owner: Epoch(1),
        bytes: 16 * PAGE_BYTES,
        place: PlaceId::HOME,
    };
    fixture.change(Change::PutObject(object)).await;
    for first in (0..pages()).step_by(BATCH as usize) {
        let bytes = (BATCH * PAGE_BYTES) as i64;
        let mut plan = Plan::at(time(1_000));
        plan.require(Expectation::ObjectUsable { object: OBJECT, epoch: Epoch(1) });
        for page in first..first + BATCH {
            plan.change(Change::PutRow { node, page, row: row(page) });
        }
        for chunk in first / SCALE.chunk_pages()..(first + BATCH) / SCALE.chunk_pages() {
            plan.change(Change::InsertReference(Reference::live(OBJECT, node, chunk)));
        }
        let size = Some((first + BATCH) * PAGE_BYTES);
        plan.change(Change::UpdateNode(node, NodeUpdate { size, allocated: bytes, ..NodeUpdate::changed() }));
        plan.change(Change::Count(Statistics { bytes, nodes: 0 }));
        fixture.apply(plan).await;
    }
    node
}

/// Creates files until it is to stop; each must succeed at the first try.
struct Creator {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Creator {
    fn start(fixture: &Fixture) -> Creator {
        let (stop, made) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn({
            let (fixture, stop, made) = (fixture.clone(), stop.clone(), made.clone());
            async move {
                while !stop.load(Ordering::Relaxed) && made.load(Ordering::Relaxed) < 20_000 {
                    let index = made.fetch_add(1, Ordering::Relaxed);
                    fixture.add(NodeId::ROOT, &format!("meanwhile-{index}"), NodeKind::File).await;
                    tokio::task::yield_now().await;
                }
            }
        });
        Creator { stop, made, task }
    }

    async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.made.load(Ordering::Relaxed)
    }
}

async fn run(fixture: &Fixture, what: &'static str, request: Request) {
    let (credentials, fresh) = (Credentials::root(), fresh(fixture));
    let act = Act { what, request, credentials, now: time(2_000), fresh };
    act.run(fixture).await.unwrap();
}

fn remove_request() -> Request {
    let request = RemoveRequest { directory: NodeId::ROOT, name: name("huge"), kind: RemoveKind::NotDirectory };
    Request::Remove(request, false)
}

async fn assert_nothing_is_left(fixture: &Fixture, statistics: Statistics) {
    assert!(fixture.share.references(OBJECT, 10).await.unwrap().is_empty());
    // Removing the name took off what a name counts for, and the plans that made the file had not added it.
    let name_bytes = dittofs_domain::quota::NAME_BYTES as i64;
    let expected = Statistics { bytes: statistics.bytes - name_bytes, ..statistics };
    assert_eq!(fixture.share.statistics().await.unwrap(), expected);
    let mut plan = Plan::at(time(3_000));
    plan.require(Expectation::Unreferenced(OBJECT));
    plan.change(Change::DeleteObject(OBJECT));
    fixture.apply(plan).await;
    assert!(fixture.share.objects(None, 10).await.unwrap().is_empty());
}

/// Removes what is left of an unlinked node, as the reaper does; answers in how many plans.
async fn reap(fixture: &Fixture, node: NodeId) -> usize {
    let mut plans = 0;
    loop {
        let view = fixture.view(Query { map: Some(reap_node_query(node, &SCALE)), ..Query::node(node) }).await;
        let reaped = reap_node(&view.map, node, &SCALE).unwrap();
        let mut plan = Plan::at(time(2_500));
        plan.require(Expectation::Exists(node));
        reaped.edit.add_to(&mut plan, node, NodeUpdate::default());
        fixture.apply(plan).await;
        plans += 1;
        if reaped.done {
            let mut last = Plan::at(time(2_500));
            last.require(Expectation::Exists(node));
            last.change(Change::DeleteUnlinked(node)).change(Change::DeleteNode(node));
            last.change(Change::Count(Statistics { nodes: -1, bytes: 0 }));
            fixture.apply(last).await;
            return plans + 1;
        }
    }
}

pub async fn a_huge_file_is_removed_in_small_plans_while_creates_go_on(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let before = fixture.share.statistics().await.unwrap();
    let node = huge(&fixture).await;
    let creator = Creator::start(&fixture);
    run(&fixture, "remove", remove_request()).await;
    assert!(fixture.entry(NodeId::ROOT, "huge").await.is_none());
    let unlinked = fixture.share.unlinked(NodeId(0), 10).await.unwrap();
    assert_eq!(unlinked, [(node, UnlinkedReason::Reaping)]);
    let plans = reap(&fixture, node).await;
    assert!(plans > pages() as usize / 4_096, "{plans} plans for {} rows", pages());
    let made = creator.stop().await;
    assert!(made > 0, "nobody could create anything meanwhile");

    assert!(fixture.node(node).await.is_none());
    assert!(fixture.rows(node).await.is_empty());
    assert!(fixture.share.unlinked(NodeId(0), 10).await.unwrap().is_empty());
    let statistics = Statistics { nodes: before.nodes + made as i64, ..before };
    assert_nothing_is_left(&fixture, statistics).await;
}

/// Whether a range reads as hole.
async fn is_hole(fixture: &Fixture, node: NodeId, offset: u64) -> bool {
    let range = offset..offset + 1;
    let view = fixture.view(Query { map: Some(resolve_query(node, &range, &SCALE)), ..Query::node(node) }).await;
    let found = view.node(node).unwrap();
    let pieces = resolve(&view.map, &Facts::of(found, &SCALE), range).unwrap();
    assert_eq!(pieces.len(), 1, "the byte is inside the file");
    pieces[0].source == Source::Hole
}

/// Finishes a pending truncation, as the reaper does; answers in how many plans.
async fn reap_truncated(fixture: &Fixture, node: NodeId) -> usize {
    let (mut cursor, mut plans) = (None, 0);
    loop {
        let facts = Facts::of(&fixture.node(node).await.unwrap(), &SCALE);
        let Some(map) = reap_truncation_query(&facts, cursor) else { return plans };
        let view = fixture.view(Query { map: Some(map), ..Query::node(node) }).await;
        let reaped = reap_truncation(&view.map, &facts, cursor).unwrap();
        let mut plan = Plan::at(time(2_500));
        plan.require(Expectation::ContentVersion { node, version: facts.content_version });
        reaped.edit.add_to(&mut plan, node, NodeUpdate::default());
        fixture.apply(plan).await;
        plans += 1;
        cursor = reaped.next;
        if cursor.is_none() {
            return plans;
        }
    }
}

pub async fn a_huge_file_is_truncated_in_small_plans_while_creates_go_on(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    const KEPT: u64 = PAGE_BYTES + 10;
    let fixture = Fixture::new(&open().await).await;
    let before = fixture.share.statistics().await.unwrap();
    let node = huge(&fixture).await;
    let size = fixture.node(node).await.unwrap().size;
    let creator = Creator::start(&fixture);
    run(&fixture, "truncate", Request::Set(node, SetAttributes::size(KEPT))).await;
    assert_eq!(fixture.node(node).await.unwrap().size, KEPT);
    assert_eq!(fixture.share.pending_truncations(NodeId(0), 10).await.unwrap(), [node]);

    // The file grows again at once: the bytes that the truncation removed must not come back.
    run(&fixture, "grow", Request::Set(node, SetAttributes::size(size))).await;
    let probes = [KEPT, 2 * PAGE_BYTES, size / 2, size - 1];
    for offset in probes {
        assert!(is_hole(&fixture, node, offset).await, "byte {offset} came back before the reaper was there");
    }
    let plans = reap_truncated(&fixture, node).await;
    assert!(plans > pages() as usize / 4_096, "{plans} plans for {} rows", pages());
    let made = creator.stop().await;
    assert!(made > 0, "nobody could create anything meanwhile");

    for offset in probes {
        assert!(is_hole(&fixture, node, offset).await, "byte {offset} came back");
    }
    assert!(!is_hole(&fixture, node, 0).await && !is_hole(&fixture, node, KEPT - 1).await);
    assert!(fixture.share.pending_truncations(NodeId(0), 10).await.unwrap().is_empty());
    assert!(fixture.rows(node).await.len() < 10);
    let found = fixture.node(node).await.unwrap();
    assert_eq!((found.size, found.allocated), (size, KEPT));
    assert_eq!(fixture.share.references(OBJECT, 10).await.unwrap(), [(node, 0)]);

    run(&fixture, "remove", remove_request()).await;
    reap(&fixture, node).await;
    let statistics = Statistics { nodes: before.nodes + made as i64, ..before };
    assert_nothing_is_left(&fixture, statistics).await;
}

pub async fn a_removal_or_truncation_of_a_huge_file_is_a_small_plan(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = huge(&fixture).await;
    for request in [Request::Set(node, SetAttributes::size(10)), remove_request()] {
        let (credentials, fresh) = (Credentials::root(), fresh(&fixture));
        let act = Act { what: "plan", request, credentials, now: time(2_000), fresh };
        let plan = act.decide(&act.look(&fixture).await).unwrap().plan;
        assert!(plan.steps() < STEPS_MAX, "{} steps", plan.steps());
    }
}
