//! A full store, and a file that is set aside.

use dittofs_domain::error::FsError;
use dittofs_ports::AdminService;

use crate::{
    stores::full,
    world::{World, bytes},
};

#[tokio::test(start_paused = true)]
async fn writes_are_taken_again_though_a_file_that_is_set_aside_keeps_its_bytes() {
    let world = World::new().await;
    let damaged = world.file("damaged").await;
    *world.faults.damaged.lock() = Some(damaged);
    world.write(damaged, 0, bytes(1, 10_000)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(world.services.flush().await, Err(FsError::Io));
    }
    *world.faults.put.lock() = Some(full);
    let other = world.file("other").await;
    world.write(other, 0, bytes(2, 10_000)).await.unwrap();
    assert_eq!(world.services.flush().await, Err(FsError::NoSpace));
    assert_eq!(world.write(other, 0, bytes(3, 10_000)).await, Err(FsError::NoSpace));
    world.remove("other").await;
    *world.faults.put.lock() = None;
    world.pass(20).await;
    let third = world.file("third").await;
    assert_eq!(world.write(third, 0, bytes(3, 10_000)).await, Ok(()));
}
