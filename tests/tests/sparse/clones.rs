//! Clones.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    ContentVersion, KeyId, NodeId, ObjectId, PlaceId, Scale,
    content::{BlockPlace, Extent, MapRow, PAGE_BYTES, Stored, map::Edit},
    error::FsError,
    plan::{Change, NodeUpdate, ObjectRecord, ObjectState, Plan, Reference, Statistics},
    quota::{NAME_BYTES, NODE_BYTES},
};
use dittofs_ports::{AdminService, ContentStore, MetadataService};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::SHARE;

use crate::share::{Share, content};

const GIBIBYTE: u64 = 1 << 30;

/// A file of a gibibyte: its map only, as nobody reads it.
async fn gibibyte(share: &Share) -> NodeId {
    let file = share.create("source", 0o644).await;
    let mut plan = Plan::default();
    let mut edit = Edit { size: Some(GIBIBYTE), allocated: GIBIBYTE as i64, ..Edit::default() };
    let object = |page: u64| ObjectId(1 + u128::from(page / 32));
    for page in 0..GIBIBYTE / PAGE_BYTES {
        if page % 32 == 0 {
            let (state, owner) = (ObjectState::Live, dittofs_domain::Epoch(0));
            plan.change(Change::PutObject(ObjectRecord {
                id: object(page),
                state,
                owner,
                bytes: 40 << 20,
                place: PlaceId::HOME,
            }));
            let chunk = page / 64;
            plan.change(Change::InsertReference(Reference::live(object(page), file, chunk)));
        }
        let block = BlockPlace {
            at: 64 + page / 4 % 8 * (5 << 20),
            stored_len: (4 << 20) + 1_600,
            raw_len: 4 << 20,
            codec: 0,
            key_id: KeyId::NONE,
        };
        let from = Stored { object: object(page), block, skip: (page % 4 * PAGE_BYTES) as u32 };
        let extents = vec![Extent::Stored { len: PAGE_BYTES as u32, from }];
        let row = MapRow::Page { version: ContentVersion(0), extents };
        edit.changes.push(Change::PutRow { node: file, page, row });
    }
    edit.changes.push(Change::Count(Statistics { bytes: GIBIBYTE as i64, nodes: 0 }));
    edit.add_to(&mut plan, file, NodeUpdate::changed());
    share.world.metadata.apply(plan, None).await.unwrap();
    file
}

#[tokio::test]
async fn a_gibibyte_is_cloned_by_one_plan_in_an_instant_and_no_byte_moves() {
    clone_gibibyte(Share::new().await).await;
    let folder = tempfile::tempdir().unwrap();
    let metadata = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap();
    clone_gibibyte(Share::on(Arc::new(metadata)).await).await;
}

async fn clone_gibibyte(share: Share) {
    let source = gibibyte(&share).await;
    let clone = share.create("clone", 0o644).await;
    let calls = share.content.calls();
    let began = Instant::now();
    let cloned = share.clone_to(source, 0..GIBIBYTE, clone, 0).await.unwrap();
    let took = began.elapsed();
    println!("a clone of 1 GiB took {took:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(share.content.calls(), calls, "bytes were moved");
    assert_eq!((cloned.after.size, cloned.after.used), (GIBIBYTE, GIBIBYTE));
    let (node, map) = share.stored(clone).await;
    assert_eq!(node.content_version, ContentVersion(1), "one plan");
    let extents = |row: &MapRow| match row {
        MapRow::Page { extents, .. } => extents.clone(),
        MapRow::Holes { .. } => Vec::new(),
    };
    let (_, of_source) = share.stored(source).await;
    let rows = |map: &[(u64, MapRow)]| map.iter().map(|(page, row)| (*page, extents(row))).collect::<Vec<_>>();
    assert_eq!(rows(&map.rows), rows(&of_source.rows));
    for object in 1..=32 {
        let references = share.world.metadata.references(ObjectId(object), 10).await.unwrap();
        assert_eq!(references.len(), 2, "object {object}");
    }
    let bytes = share.world.metadata.statistics().await.unwrap().bytes;
    assert_eq!(bytes, 2 * (GIBIBYTE + NODE_BYTES + NAME_BYTES) as i64);
}

#[tokio::test(start_paused = true)]
async fn a_clone_has_its_sources_bytes_and_both_go_their_own_ways() {
    let share = Share::new().await;
    let (source, clone) = (share.create("source", 0o644).await, share.create("clone", 0o644).await);
    let old = content(1, 300_000);
    share.write(source, 0, old.clone()).await;
    share.write(clone, 0, content(2, 1_000)).await;
    // The source is only in the journal, and so is what the clone takes the place of.
    let cloned = share.clone_to(source, 0..0, clone, 333).await.unwrap();
    assert_eq!(cloned.after.size, 300_333);
    let mut expected = [&content(2, 1_000)[..333], &old].concat();
    assert_eq!(share.read(clone, 0..400_000).await, expected);
    share.write(source, 1_000, vec![9; 5_000]).await;
    share.punch(clone, 100_000..200_000).await;
    expected[100_000..200_000].fill(0);
    share.flush().await;
    assert_eq!(share.read(clone, 0..400_000).await, expected);
    let mut changed = old.clone();
    changed[1_000..6_000].fill(9);
    assert_eq!(share.read(source, 0..400_000).await, changed);
    // Inside of one file, from the end to the start.
    share.clone_to(clone, 200_333..300_333, clone, 7).await.unwrap();
    expected.copy_within(200_333..300_333, 7);
    assert_eq!(share.read(clone, 0..400_000).await, expected);
    share.check().await;
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn objects_live_as_long_as_a_clone_needs_them_and_shared_bytes_stay_shared() {
    let share = Share::new().await;
    let source = share.create("source", 0o644).await;
    let bytes = content(1, 4 << 20);
    // Half of the object dies, and more.
    let other = share.create("other", 0o644).await;
    share.write(source, 0, bytes.clone()).await;
    share.write(other, 0, content(5, 6 << 20)).await;
    share.flush().await;
    let clones = [share.create("one", 0o644).await, share.create("two", 0o644).await];
    for clone in clones {
        share.clone_to(source, 0..0, clone, 0).await.unwrap();
    }
    share.punch(source, 0..u64::MAX).await;
    share.punch(other, 0..u64::MAX).await;
    share.world.pass(Duration::from_secs(200)).await;
    for clone in clones {
        assert_eq!(share.read(clone, 0..4 << 20).await, bytes);
    }
    let stored: u64 = share.content.list(SHARE, None, 100).await.unwrap().iter().map(|(_, bytes)| *bytes).sum();
    assert!(stored < 5 << 20, "{stored} bytes are kept of 4 MiB that two files share");
    share.check().await;
    for clone in clones {
        share.punch(clone, 0..u64::MAX).await;
    }
    share.world.pass(Duration::from_secs(200)).await;
    assert!(share.content.list(SHARE, None, 100).await.unwrap().is_empty());
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_cloned_is_refused_and_changes_nothing() {
    let share = Share::new().await;
    let (source, clone) = (share.create("source", 0o600).await, share.create("clone", 0o644).await);
    share.write(source, 0, content(1, 1_000)).await;
    let refused = async |range, to, at| share.clone_to(source, range, to, at).await.unwrap_err();
    assert_eq!(refused(0..1_001, clone, 0).await, FsError::Invalid);
    assert_eq!(refused(1_001..1_001, clone, 0).await, FsError::Invalid);
    assert_eq!(refused(0..600, source, 500).await, FsError::Invalid);
    assert_eq!(refused(0..600, clone, i64::MAX as u64 - 10).await, FsError::TooLarge);
    assert_eq!(refused(0..600, dittofs_domain::NodeId::ROOT, 0).await, FsError::IsDirectory);
    let nothing = share.clone_to(source, 1_000..1_000, clone, 50).await.unwrap();
    assert_eq!(nothing.after.size, 0);
    let other = dittofs_tests::world::caller(dittofs_domain::Credentials::user(5, 5));
    let other_user = Share { caller: other, ..share };
    assert_eq!(other_user.clone_to(source, 0..5, clone, 0).await.unwrap_err(), FsError::Access);
    let shown = other_user.world.share.attributes(&other_user.caller, clone).await.unwrap();
    assert_eq!((shown.size, shown.change), (0, nothing.after.change));
}

#[tokio::test(start_paused = true)]
async fn many_small_clones_of_one_page_keep_few_extents() {
    let share = Share::new().await;
    let (source, clone) = (share.create("source", 0o644).await, share.create("clone", 0o644).await);
    let bytes = content(3, 1 << 20);
    share.write(source, 0, bytes.clone()).await;
    let mut expected = vec![0; 600 * 300];
    for number in 0..600usize {
        let from = (600 - number) * 17;
        share.clone_to(source, from as u64..from as u64 + 200, clone, number as u64 * 300).await.unwrap();
        expected[number * 300..number * 300 + 200].copy_from_slice(&bytes[from..from + 200]);
    }
    expected.truncate(599 * 300 + 200);
    assert_eq!(share.read(clone, 0..1 << 20).await, expected);
    share.flush().await;
    assert_eq!(share.read(clone, 0..1 << 20).await, expected);
    let (_, map) = share.stored(clone).await;
    assert!(
        matches!(&map.rows[0].1, MapRow::Page { extents, .. } if extents.len() <= Scale::PRODUCTION.page_extents_bound())
    );
    share.check().await;
    share.world.services.flush().await.unwrap();
    share.world.close().await;
}
