//! A journal that is a copy from earlier in the life of one server.

use dittofs_application::OpenError;

use crate::world::World;

#[tokio::test(start_paused = true)]
async fn an_older_journal_of_the_same_life_is_refused_until_the_loss_is_accepted() {
    let world = World::new().await;
    let server = world.start().await;
    let older = *world.journal.identity.lock();
    world.work(&server, 4).await.unwrap();
    server.kill();
    let newest = std::mem::replace(&mut *world.journal.identity.lock(), older);
    assert_eq!((older.journal, older.incarnation), (newest.journal, newest.incarnation));
    let refused = world.start_accepting(false).await.err().unwrap();
    assert!(matches!(refused, OpenError::JournalBehind { found, .. } if found == older.start.unwrap().epoch.0));
    assert_eq!(*world.journal.identity.lock(), older, "it hears of no start that is refused");
    *world.journal.identity.lock() = newest;
    world.start().await.kill();
    *world.journal.identity.lock() = older;
    world.start_accepting(true).await.unwrap().kill();
    world.start().await.kill();
}

#[tokio::test(start_paused = true)]
async fn the_journal_itself_is_never_taken_for_an_older_one() {
    let world = World::new().await;
    for minutes in 0..5 {
        let server = world.start().await;
        world.work(&server, minutes).await.unwrap();
        server.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_missing_in_an_older_journal_of_a_share_that_was_closed() {
    let world = World::new().await;
    let server = world.start().await;
    let older = *world.journal.identity.lock();
    world.work(&server, 4).await.unwrap();
    server.close().await;
    *world.journal.identity.lock() = older;
    world.start().await.kill();
}
