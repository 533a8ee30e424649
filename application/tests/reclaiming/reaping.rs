//! Reaping over a metadata store that is slow, or away.

use std::{sync::atomic::Ordering, time::Duration};

use dittofs_domain::NodeId;
use dittofs_ports::AdminService;

use crate::world::{World, bytes};

const FILES: usize = 40;

async fn removed_files(world: &World) {
    for number in 0..FILES {
        let name = format!("file-{number}");
        let file = world.file(&name).await;
        world.write(file, 0, bytes(number, 100)).await.unwrap();
    }
    world.services.flush().await.unwrap();
    for number in 0..FILES {
        world.remove(&format!("file-{number}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bounded_number_of_nodes_is_reaped_at_once() {
    let world = World::new().await;
    *world.faults.reaping.lock() = Duration::from_secs(1);
    removed_files(&world).await;
    world.pass(FILES as u64 / 4).await;
    assert_eq!(world.unlinked().await, []);
    assert_eq!(world.faults.reaps.load(Ordering::Relaxed), FILES);
    let most = world.faults.most_reaps.load(Ordering::Relaxed);
    assert!((4..=8).contains(&most), "{most} at once");
}

#[tokio::test(start_paused = true)]
async fn a_metadata_store_that_refuses_is_not_asked_for_every_node() {
    let world = World::new().await;
    *world.faults.reaping.lock() = Duration::from_millis(100);
    *world.faults.refuses_reaping.lock() = true;
    removed_files(&world).await;
    world.pass(5).await;
    let before = world.faults.reaps.load(Ordering::Relaxed);
    world.pass(10).await;
    let asked = world.faults.reaps.load(Ordering::Relaxed) - before;
    assert!((1..=100).contains(&asked), "{asked} times in 10 s");
    assert_eq!(world.unlinked().await.len(), FILES);
    *world.faults.refuses_reaping.lock() = false;
    world.pass(5).await;
    assert_eq!(world.unlinked().await, Vec::<NodeId>::new());
}
