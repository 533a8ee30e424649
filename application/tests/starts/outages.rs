//! The store is away while the server is started and works: it knows its own objects afterwards.

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_start_in_an_outage_that_lasts_knows_its_objects_afterwards() {
    let world = World::new().await;
    let server = world.start().await;
    world.work(&server, 4).await.unwrap();
    world.set_away(true);
    server.kill();
    let server = world.start().await;
    world.work(&server, 300).await.unwrap();
    world.set_away(false);
    world.work(&server, 4).await.unwrap();
    server.kill();
    let server = world.start().await;
    world.work(&server, 2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_while_it_works_and_many_starts_in_it_are_no_reason_to_refuse_the_objects() {
    let world = World::new().await;
    let mut server = world.start().await;
    world.work(&server, 4).await.unwrap();
    world.set_away(true);
    world.work(&server, 4).await.unwrap();
    for _ in 0..300 {
        server.kill();
        server = world.start().await;
    }
    world.work(&server, 1).await.unwrap();
    world.set_away(false);
    world.work(&server, 4).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_lands_unheard_in_the_middle_of_an_outage_is_known_afterwards() {
    let world = World::new().await;
    let server = world.start().await;
    world.work(&server, 4).await.unwrap();
    world.set_away(true);
    world.work(&server, 100).await.unwrap();
    world.set_mute(true);
    world.set_away(false);
    world.work(&server, 1).await.unwrap();
    world.set_away(true);
    world.set_mute(false);
    world.work(&server, 200).await.unwrap();
    server.kill();
    let server = world.start().await;
    world.set_away(false);
    world.work(&server, 4).await.unwrap();
}
