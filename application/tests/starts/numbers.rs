//! No number of a file is given twice, whatever the metadata are a copy of.

use crate::world::World;

/// More than a share gives out in weeks.
const WEEKS: u64 = 1 << 40;

#[tokio::test(start_paused = true)]
async fn numbers_go_on_where_the_share_was_closed_and_its_age_is_known() {
    let world = World::new().await;
    for _ in 0..3 {
        let server = world.start().await;
        world.work(&server, 1).await.unwrap();
        server.close().await;
    }
    assert!(world.next_id().await < 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn closed_metadata_of_any_age_give_no_number_again_where_the_store_can_not_be_asked() {
    let world = World::new().await;
    let server = world.start().await;
    // So that it opens without its store.
    world.write(&server).await.unwrap();
    server.close().await;
    world.set_away(true);
    let server = world.start().await;
    assert!(world.next_id().await > WEEKS);
    server.kill();
}

#[tokio::test(start_paused = true)]
async fn who_accepts_a_loss_gets_no_number_again_though_the_row_calls_the_share_closed() {
    let world = World::new().await;
    world.start().await.close().await;
    // As it is once a new journal has taken the place of one that was lost.
    let mut record = world.metadata.record().await.unwrap();
    record.journal = 6;
    record.journal_incarnation = 0;
    world.metadata.put_record(&record).await.unwrap();
    *world.journal.identity.lock() = dittofs_ports::JournalIdentity { journal: 6, incarnation: 1, start: None };
    world.start_accepting(true).await.unwrap().kill();
    assert!(world.next_id().await > WEEKS);
}
