//! Giving parts of objects back.

use std::{sync::atomic::Ordering, time::Duration};

use dittofs_domain::error::FsError;
use dittofs_ports::AdminService;

use crate::{
    stores::full,
    world::{World, bytes},
};

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_long_to_give_parts_back_keeps_no_clone_waiting() {
    const ALIVE: usize = 600 << 10;
    let world = World::new().await;
    let file = world.object_of_two(0, ALIVE, 400 << 10).await;
    // Dead parts are looked for where there is no space.
    *world.faults.put.lock() = Some(full);
    let other = world.file("other").await;
    world.write(other, 0, bytes(7, 1_000)).await.unwrap();
    assert_eq!(world.services.flush().await, Err(FsError::NoSpace));
    world.remove("dead-0").await;
    world.pass(5).await;
    *world.faults.put.lock() = None;
    world.services.flush().await.unwrap();
    *world.faults.holds_discards.lock() = true;
    world.pass(60).await;
    assert_eq!(world.faults.discards.load(Ordering::Relaxed), 1);
    let clone = world.file("clone").await;
    let cloned = tokio::time::timeout(Duration::from_secs(10), world.clone_file(file, clone)).await;
    assert_eq!(cloned, Ok(Ok(())));
    assert_eq!(world.read(clone).await.unwrap(), bytes(0, ALIVE));
}
