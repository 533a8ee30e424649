//! This instance knows enough for reads and writes that take nothing from anybody: the store changes nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{
    FsError, NodeId,
    opens::{
        LeaseForm, LeaseKey, Lock, LockKind, Locking, NodeOpens, Open, OpenToken, Operation, Rights, ShareAccess,
        ShareMode,
    },
};
use dittofs_ports::{Caller, OpenHint, OpenStateError, mocks::MockOpenState};

use crate::world::{World, bytes, nfs, owner, user};

const READ_AND_HANDLE: Rights = Rights::READ.union(Rights::HANDLE);

/// A file of which a store knows this at once; whoever wants to change it must come again.
async fn known(opens: NodeOpens) -> (World, NodeId) {
    let mut store = MockOpenState::new();
    let idle = Arc::new(AtomicBool::new(true));
    let made = Arc::clone(&idle);
    store.expect_is_idle().returning(move || idle.load(Ordering::Relaxed));
    store.expect_hint().returning(move |_, question| {
        question.ask(&opens);
        OpenHint::Seen
    });
    store.expect_update().returning(|_, _| Err(OpenStateError::Unavailable("updated".into())));
    let world = World::with(Arc::new(store)).await;
    let file = world.file("a", b"text").await;
    made.store(false, Ordering::Relaxed);
    (world, file)
}

/// The node's state once client 1 has it open so, and caches it.
fn opened(share: ShareMode, rights: Rights) -> (NodeOpens, Caller) {
    let caller = Caller { opener: Some(OpenToken(1)), ..nfs(1) };
    let key = LeaseKey { client: caller.client, form: LeaseForm::Lease, id: 7 };
    let open = Open { client: caller.client, share, locking: Locking::Mandatory, lease: Some(key), file: None };
    let mut opens = NodeOpens::default();
    let _ = opens.open(OpenToken(1), open, false, 0);
    assert_eq!(opens.request_lease(key, rights).rights, rights);
    (opens, caller)
}

fn reading_and_writing() -> ShareMode {
    ShareMode { access: ShareAccess::READ | ShareAccess::WRITE, deny: ShareAccess::empty() }
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_that_take_nothing_away_change_nothing_in_the_store() {
    let (opens, holder) = opened(reading_and_writing(), Rights::all());
    let (world, file) = known(opens).await;
    world.write(&holder, file, 0, b"TE").await.unwrap();
    assert_eq!(world.read(&holder, file).await.unwrap(), b"TExt");

    let (opens, _) = opened(reading_and_writing(), READ_AND_HANDLE);
    let (world, file) = known(opens).await;
    assert_eq!(world.read(&nfs(2), file).await.unwrap(), b"text");
    assert_eq!(world.write(&nfs(2), file, 0, b"x").await, Err(FsError::Busy), "takes the copy of another away");

    let (opens, _) = opened(reading_and_writing(), Rights::empty());
    let (world, file) = known(opens).await;
    world.write(&nfs(2), file, 0, b"TE").await.unwrap();
    assert_eq!(world.write(&user(2, 1_001), file, 0, b"x").await, Err(FsError::Access), "admitted, and may not");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_changes_nothing_in_the_store() {
    let denying = ShareMode { access: ShareAccess::READ, deny: ShareAccess::WRITE };
    let (opens, _) = opened(denying, Rights::READ);
    let (world, file) = known(opens).await;
    assert_eq!(world.write(&nfs(2), file, 0, b"x").await, Err(FsError::ShareDenied));
    assert_eq!(world.write(&user(2, 1_001), file, 0, b"x").await, Err(FsError::Access), "permission comes first");

    let (mut opens, holder) = opened(reading_and_writing(), Rights::READ);
    let _ = opens.lock(Lock { range: bytes(0, 10), kind: LockKind::Exclusive, holder: owner(2) }, None, 0);
    let (world, file) = known(opens).await;
    assert_eq!(world.read(&holder, file).await, Err(FsError::Locked));
    assert_eq!(world.read(&nfs(3), file).await.unwrap(), b"text", "who has no open does not meet an advisory lock");
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_overdue_are_revoked_by_the_next_read() {
    let (mut opens, holder) = opened(reading_and_writing(), Rights::all());
    let _ = opens.check(nfs(2).client, None, Operation::Read(bytes(0, 1)), 1_000);
    let (world, file) = known(opens).await;
    assert_eq!(world.read(&holder, file).await.unwrap(), b"text");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.read(&holder, file).await, Err(FsError::Busy), "the store has to revoke them");
}
