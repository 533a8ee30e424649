//! The attributes that are shown after a crash, though the clock ran back before it.

use std::sync::Arc;

use dittofs_domain::{
    Attributes, NodeId, Timestamp,
    error::FsError,
    namespace::{SetAttributes, SetTime},
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{Appended, MetadataService, Record, Stability};

use crate::world::{World, caller};

async fn attributes(world: &World, node: NodeId) -> Attributes {
    world.share.attributes(&caller(), node).await.unwrap()
}

/// A crash: the same metadata, the records that the journal took, in another process.
async fn crashed(store: &Arc<MemoryMetadataStore>, records: Vec<(Appended, Record)>) -> World {
    World::open(Arc::clone(store), records).await
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::EPOCH.plus_ms(seconds as u64 * 1_000)
}

#[tokio::test]
async fn times_shown_before_a_crash_are_shown_after_it_though_the_clock_ran_back() {
    for set_between in [false, true] {
        let store = Arc::new(MemoryMetadataStore::new());
        let world = World::open(Arc::clone(&store), Vec::new()).await;
        *world.faults.time.lock() = at(100);
        let node = world.file(b"first").await;
        *world.faults.time.lock() = at(50);
        if set_between {
            let request = SetAttributes { mtime: SetTime::To(at(7)), ..SetAttributes::default() };
            world.share.set_attributes(&caller(), node, &request, None).await.unwrap();
        }
        world.write(node, b"second", Stability::Unstable).await.unwrap();
        *world.faults.time.lock() = at(20);
        world.write(node, b"third", Stability::Unstable).await.unwrap();
        let shown = attributes(&world, node).await;

        let records = world.faults.appended.lock().clone();
        let after = attributes(&crashed(&store, records).await, node).await;
        assert_eq!((after.mtime, after.ctime, after.size), (shown.mtime, shown.ctime, shown.size));
        assert!(after.change >= shown.change);
    }
}

#[tokio::test]
async fn a_record_with_an_earlier_time_does_not_lower_ctime_and_still_gives_mtime() {
    let store = Arc::new(MemoryMetadataStore::new());
    let world = World::open(Arc::clone(&store), Vec::new()).await;
    let node = world.file(b"").await;
    world.write(node, b"first", Stability::Unstable).await.unwrap();
    world.write(node, b"second", Stability::Unstable).await.unwrap();
    let mut records = world.faults.appended.lock().clone();
    records[0].1.time = at(100);
    records[1].1.time = at(50);
    let world = crashed(&store, records).await;
    let after = attributes(&world, node).await;
    assert_eq!((after.ctime, after.mtime), (at(100), at(50)));

    // The next write is later than both, whatever the clock says.
    world.write(node, b"third", Stability::Unstable).await.unwrap();
    let written = attributes(&world, node).await;
    assert!(written.ctime > after.ctime && written.change > after.change);
}

/// Else its numbers would pass the records', which would then be taken for published, or a replay exclusion would be
/// missing.
#[tokio::test]
async fn a_file_of_which_records_were_kept_takes_no_change_until_they_have_their_place() {
    let store = Arc::new(MemoryMetadataStore::new());
    let world = World::open(Arc::clone(&store), Vec::new()).await;
    let node = world.file(b"first").await;
    let records = world.faults.appended.lock().clone();

    let world = World::open_damaged(Arc::clone(&store), records.clone(), node).await;
    assert_eq!(world.write(node, b"2", Stability::Unstable).await.map(drop), Err(FsError::Io));
    let truncate = SetAttributes::size(2);
    assert_eq!(world.share.set_attributes(&caller(), node, &truncate, None).await.map(drop), Err(FsError::Io));
    let other = world.node("other").await;
    assert_eq!(world.write(other, b"2", Stability::Unstable).await.map(drop), Ok(()));

    // The record counts again, and is the only one.
    assert_eq!(attributes(&crashed(&store, records).await, node).await.size, 5);
}
