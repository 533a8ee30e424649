//! Mostly dead objects are remembered until what lives of them is elsewhere.

use std::sync::Arc;

use dittofs_application::VolumeLimits;
use dittofs_domain::error::FsError;
use dittofs_ports::AdminService;
use tokio::sync::Notify;

use crate::{
    stores::{away, full},
    world::{World, bytes},
};

const ALIVE: usize = 24 << 10;
const DEAD: usize = 400 << 10;
const OBJECTS: usize = 3;
/// Longer than garbage is kept.
const LONG: u64 = 90;

/// Objects of which most bytes are dead once `dead-…` are removed.
async fn objects(world: &World) {
    for number in 0..OBJECTS {
        world.object_of_two(number, ALIVE, DEAD).await;
    }
}

async fn remove_dead(world: &World) {
    for number in 0..OBJECTS {
        world.remove(&format!("dead-{number}")).await;
    }
}

/// All space is back, a little for heads of blocks excepted.
async fn assert_back(world: &World) {
    world.pass(LONG).await;
    let (left, alive) = (world.object_bytes().await, OBJECTS * ALIVE);
    assert!(left < 2 * alive as u64, "{left} bytes are left for {alive}");
}

#[tokio::test(start_paused = true)]
async fn objects_are_remembered_where_there_is_no_room_for_the_least_step() {
    let world = World::new().await;
    objects(&world).await;
    *world.faults.put.lock() = Some(full);
    remove_dead(&world).await;
    // Down to the least step, and into the pause after it.
    world.pass(60).await;
    assert!(world.object_bytes().await > (OBJECTS * DEAD) as u64);
    *world.faults.put.lock() = None;
    assert_back(&world).await;
}

#[tokio::test(start_paused = true)]
async fn objects_are_remembered_over_an_outage_that_is_longer_than_readers_wait() {
    let world = World::with(VolumeLimits { outage_ms_max: 0, ..VolumeLimits::default() }).await;
    objects(&world).await;
    *world.faults.get.lock() = Some(away);
    remove_dead(&world).await;
    world.pass(30).await;
    *world.faults.get.lock() = None;
    assert_back(&world).await;
}

#[tokio::test(start_paused = true)]
async fn objects_are_remembered_where_the_metadata_do_not_answer_for_another_one() {
    let world = World::new().await;
    objects(&world).await;
    let last = world.objects().await.into_iter().map(|(object, _)| object).max().unwrap();
    *world.faults.unknown.lock() = Some(last);
    remove_dead(&world).await;
    world.pass(10).await;
    *world.faults.unknown.lock() = None;
    assert_back(&world).await;
}

#[tokio::test(start_paused = true)]
async fn an_object_that_a_clone_refers_to_meanwhile_is_written_again_once_more() {
    let world = World::new().await;
    let file = world.object_of_two(0, ALIVE, OBJECTS * DEAD).await;
    let clone = world.file("clone").await;
    let held = Arc::new(Notify::new());
    *world.faults.hold_put.lock() = Some(Arc::clone(&held));
    world.remove("dead-0").await;
    held.notified().await;
    world.clone_file(file, clone).await.unwrap();
    held.notify_one();
    assert_back(&world).await;
    assert_eq!(world.read(clone).await.unwrap(), bytes(0, ALIVE));
}

/// Readers get an error then, but nothing is damaged: who flushes waits for the old bytes.
#[tokio::test(start_paused = true)]
async fn bytes_beside_new_ones_are_waited_for_in_an_outage_that_is_longer_than_readers_wait() {
    let world = World::with(VolumeLimits { outage_ms_max: 1_000, ..VolumeLimits::default() }).await;
    let file = world.file("file").await;
    world.write(file, 0, bytes(1, ALIVE)).await.unwrap();
    world.services.flush().await.unwrap();
    *world.faults.get.lock() = Some(away);
    assert_eq!(world.read(file).await, Err(FsError::Busy));
    world.pass(2).await;
    assert_eq!(world.read(file).await, Err(FsError::Io));
    let mut expected = bytes(1, ALIVE).to_vec();
    // So many that the page is written again as a whole.
    for at in (0..24_000).step_by(400) {
        world.write(file, at as u64, bytes(2, 100)).await.unwrap();
        expected[at..at + 100].copy_from_slice(&bytes(2, 100));
    }
    assert_eq!(world.services.flush().await, Err(FsError::Busy));
    *world.faults.get.lock() = None;
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.read(file).await.unwrap(), expected);
}
