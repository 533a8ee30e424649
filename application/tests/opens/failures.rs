use std::sync::Arc;

use dittofs_domain::{ClientId, FsError, opens::LockKind};
use dittofs_ports::{EntryService, OpenHint, OpenService, OpenStateError, mocks::MockOpenState};

use crate::world::{World, bytes, nfs, owner, shared};

fn unavailable() -> OpenStateError {
    OpenStateError::Unavailable("away".into())
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_an_idle_store() {
    let mut opens = MockOpenState::new();
    opens.expect_is_idle().returning(|| true);
    let world = World::with(Arc::new(opens)).await;
    let file = world.file("a", b"text").await;
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"text");
    world.remove(&nfs(1), "a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_makes_its_callers_come_again() {
    let mut opens = MockOpenState::new();
    let made = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let idle = Arc::clone(&made);
    opens.expect_is_idle().returning(move || idle.load(std::sync::atomic::Ordering::Relaxed));
    opens.expect_hint().returning(|_, _| OpenHint::Unknown);
    opens.expect_is_open().returning(|_| Err(unavailable()));
    opens.expect_update().returning(|_, _| Err(unavailable()));
    opens.expect_nodes_of().returning(|_| Err(unavailable()));
    let world = World::with(Arc::new(opens)).await;
    let file = world.file("a", b"text").await;
    made.store(false, std::sync::atomic::Ordering::Relaxed);

    assert_eq!(world.open(1, file, &shared()).await.unwrap_err(), FsError::Busy);
    assert_eq!(world.read(&nfs(1), file).await, Err(FsError::Busy));
    assert_eq!(world.write(&nfs(1), file, 0, b"x").await, Err(FsError::Busy));
    assert_eq!(world.remove(&nfs(1), "a").await, Err(FsError::Busy));
    assert_eq!(world.services.release_client(ClientId::Nfs4(1)).await, Err(FsError::Busy));
    let unlocked = world.share.unlock(&nfs(1), file, &owner(1), bytes(0, 1)).await;
    assert_eq!(unlocked, Err(FsError::Busy));
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_what_is_new() {
    let world = World::with(Arc::new(dittofs_memory::MemoryOpenState::with_capacity(1))).await;
    let (a, b) = (world.file("a", b"").await, world.file("b", b"").await);
    world.owner_lock(1, a, LockKind::Shared, false).await;
    assert_eq!(world.open(1, b, &shared()).await.unwrap_err(), FsError::NoSpace);
    world.open(1, a, &shared()).await.unwrap();
}
