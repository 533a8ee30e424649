//! Access times, as Linux has them with `relatime`.

use std::sync::{Arc, atomic::Ordering};

use dittofs_domain::{
    NodeId, Timestamp,
    namespace::{SetAttributes, SetTime},
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{AdminService, MetadataService, Stability};

use crate::world::{World, caller};

const HOUR: u64 = 3_600;

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH.plus_ms(seconds * 1_000)
}

async fn atime(world: &World, node: NodeId) -> Timestamp {
    world.share.attributes(&caller(), node).await.unwrap().atime
}

async fn read_at(world: &World, node: NodeId, seconds: u64) -> Timestamp {
    *world.faults.time.lock() = at(seconds);
    world.read(node).await.unwrap();
    atime(world, node).await
}

async fn set(world: &World, node: NodeId, request: SetAttributes) {
    world.share.set_attributes(&caller(), node, &request, None).await.unwrap();
}

#[tokio::test]
async fn a_read_advances_it_after_a_change_and_after_a_day_and_writes_nothing() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.services.flush().await.unwrap();
    let applies = world.faults.applies.load(Ordering::Relaxed);
    let before = world.share.attributes(&caller(), node).await.unwrap();

    assert_eq!(read_at(&world, node, 100).await, at(100), "the first read after a write");
    assert_eq!(read_at(&world, node, 200).await, at(100), "nothing has changed since");
    assert_eq!(read_at(&world, node, 100 + 24 * HOUR - 1).await, at(100));
    let day = 100 + 24 * HOUR;
    assert_eq!(read_at(&world, node, day).await, at(day), "a day has passed");
    let after = world.share.attributes(&caller(), node).await.unwrap();
    assert_eq!((after.mtime, after.ctime, after.change), (before.mtime, before.ctime, before.change));
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), applies, "no plan for a read");

    *world.faults.time.lock() = at(day + 10);
    world.write(node, b"other", Stability::Unstable).await.unwrap();
    assert_eq!(atime(&world, node).await, at(day));
    assert_eq!(read_at(&world, node, day + 20).await, at(day + 20), "it was written since");
    assert_eq!(read_at(&world, node, 5).await, at(day + 20), "it does not go back with the clock");
}

#[tokio::test]
async fn it_is_stored_with_the_nodes_next_change() {
    let store = Arc::new(MemoryMetadataStore::new());
    let world = World::open(Arc::clone(&store), Vec::new()).await;
    let (flushed, changed) = (world.file(b"bytes").await, world.node("changed").await);
    read_at(&world, flushed, 100).await;
    read_at(&world, changed, 100).await;
    world.services.flush().await.unwrap();
    set(&world, changed, SetAttributes { mode: Some(0o600), ..SetAttributes::default() }).await;
    let next = World::open(store, Vec::new()).await;
    assert_eq!((atime(&next, flushed).await, atime(&next, changed).await), (at(100), at(100)));
}

#[tokio::test]
async fn a_time_that_a_client_sets_takes_the_place_of_one_that_was_noted() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    read_at(&world, node, 100).await;
    set(&world, node, SetAttributes { atime: SetTime::To(at(50)), ..SetAttributes::default() }).await;
    assert_eq!(atime(&world, node).await, at(50));
    world.services.flush().await.unwrap();
    assert_eq!(atime(&world, node).await, at(50));
}

#[tokio::test]
async fn a_clean_stop_stores_all_of_them() {
    let store = Arc::new(MemoryMetadataStore::new());
    let world = World::open(Arc::clone(&store), Vec::new()).await;
    let mut nodes = vec![NodeId::ROOT];
    for number in 0..600 {
        nodes.push(world.node(&format!("file-{number}")).await);
    }
    *world.faults.time.lock() = at(100);
    for node in &nodes[1..] {
        world.read(*node).await.unwrap();
    }
    world.list().await;
    world.remove("file-7").await;
    world.volume.close().await.unwrap();
    let next = World::open(store, Vec::new()).await;
    nodes.remove(8);
    for node in nodes {
        assert_eq!(atime(&next, node).await, at(100), "{node:?}");
    }
}
