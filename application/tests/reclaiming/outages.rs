//! Deleting while the store does not answer.

use std::sync::atomic::Ordering;

use crate::{stores::away, world::World};

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_asked_for_one_deletion_at_a_time() {
    let world = World::new().await;
    for number in 0..20 {
        world.object_of_two(number, 10_000, 10_000).await;
    }
    *world.faults.delete.lock() = Some(away);
    for number in 0..20 {
        world.remove(&format!("alive-{number}")).await;
        world.remove(&format!("dead-{number}")).await;
    }
    world.pass(40).await;
    let before = world.faults.deletes.load(Ordering::Relaxed);
    world.pass(10).await;
    let asked = world.faults.deletes.load(Ordering::Relaxed) - before;
    assert!((1..=12).contains(&asked), "{asked} times in 10 s");
    *world.faults.delete.lock() = None;
    world.pass(5).await;
    assert_eq!(world.objects().await, []);
}
