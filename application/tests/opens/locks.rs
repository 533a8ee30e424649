use dittofs_domain::{
    FsError, NodeId,
    error::FsResult,
    namespace::SetAttributes,
    opens::{Lock, LockKind, LockRange, Locking, WaitToken, Waiter},
};
use dittofs_ports::{
    BlockService, Caller, CloneRange, LockReply, LockRequest, MetadataService, OpenRequest, OpenService,
};

use crate::world::{Event, World, by_open, bytes, nfs, owner, owner_of, shared, user};

#[tokio::test(start_paused = true)]
async fn a_lock_of_an_nfs_owner_stops_an_smb_write() {
    let world = World::new().await;
    let file = world.file("a", b"0123456789abcdef").await;
    let smb = world.open(2, file, &shared()).await.unwrap();
    assert_eq!(world.owner_lock(1, file, LockKind::Exclusive, false).await, LockReply::Granted);

    assert_eq!(world.write(&smb, file, 5, b"x").await, Err(FsError::Locked));
    assert_eq!(world.read(&smb, file).await, Err(FsError::Locked));
    world.write(&smb, file, 10, b"x").await.unwrap();
    // POSIX's locks are advisory among those who lock alike.
    world.write(&nfs(3), file, 5, b"y").await.unwrap();
    let found = world.share.test_lock(&smb, file, &whole(&smb)).await.unwrap().unwrap();
    assert_eq!(found.holder, owner(1));

    world.share.unlock(&nfs(1), file, &owner(1), LockRange::to_end(0)).await.unwrap();
    world.write(&smb, file, 5, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_an_smb_open_stops_an_nfs_write() {
    let world = World::new().await;
    let file = world.file("a", b"0123456789abcdef").await;
    let smb = world.open(2, file, &shared()).await.unwrap();
    let nfs4 = world.open(3, file, &OpenRequest { locking: Locking::Advisory, ..shared() }).await.unwrap();
    assert_eq!(world.open_lock(&smb, file, LockKind::Exclusive).await, Ok(LockReply::Granted));

    for other in [&nfs(1), &nfs4] {
        assert_eq!(world.write(other, file, 0, b"x").await, Err(FsError::Locked));
        assert_eq!(world.read(other, file).await, Err(FsError::Locked));
        assert_eq!(resize(&world, other, file, 9).await, Err(FsError::Locked));
        world.write(other, file, 12, b"x").await.unwrap();
        resize(&world, other, file, 16).await.unwrap();
    }
    assert!(matches!(world.owner_lock(1, file, LockKind::Shared, false).await, LockReply::Conflict(_)));
    world.write(&smb, file, 0, b"x").await.unwrap();

    world.share.close(&smb, file, crate::world::token(&smb)).await.unwrap();
    world.write(&nfs(1), file, 0, b"y").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn locks_and_the_right_to_open_count_for_punches_and_clones() {
    let world = World::new().await;
    let (file, other) = (world.file("a", b"0123456789abcdef").await, world.file("b", b"ABCDEFGH").await);
    let smb = world.open(2, file, &shared()).await.unwrap();
    assert_eq!(world.open_lock(&smb, file, LockKind::Exclusive).await, Ok(LockReply::Granted));
    let clone = |source: NodeId, destination: NodeId, at| CloneRange {
        source,
        source_opener: None,
        offset: 0,
        length: 4,
        destination,
        at,
    };

    let share = &world.share;
    assert_eq!(share.punch(&nfs(1), file, 0..4).await.map(|_| ()), Err(FsError::Locked));
    assert_eq!(share.allocate(&nfs(1), file, 0..40).await.map(|_| ()), Err(FsError::Locked));
    assert_eq!(share.clone_range(&nfs(1), &clone(other, file, 0)).await.map(|_| ()), Err(FsError::Locked));
    assert_eq!(share.clone_range(&nfs(1), &clone(file, other, 0)).await.map(|_| ()), Err(FsError::Locked));
    share.clone_range(&nfs(1), &clone(other, file, 12)).await.unwrap();
    share.punch(&nfs(1), file, 11..12).await.unwrap();

    // Through the open that has the lock.
    share.punch(&smb, file, 0..2).await.unwrap();
    let by_owner = CloneRange { source_opener: smb.opener, ..clone(file, file, 4) };
    share.clone_range(&smb, &by_owner).await.unwrap();
    assert_eq!(world.read(&smb, file).await.unwrap(), b"\0\x0023\0\x002389a\0ABCD");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_is_granted_by_the_unlock_that_frees_it() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    assert_eq!(world.owner_lock(1, file, LockKind::Exclusive, false).await, LockReply::Granted);
    assert_eq!(world.owner_lock(2, file, LockKind::Exclusive, true).await, LockReply::Queued);
    assert_eq!(world.owner_lock(3, file, LockKind::Exclusive, true).await, LockReply::Queued);
    assert_eq!(world.events.all(), []);

    world.share.release_owner(&nfs(1), file, &owner_of(1)).await.unwrap();
    let granted = |event| match event {
        Event::Granted(node, Waiter { lock, .. }) => (node, lock.holder),
        other => panic!("{other:?}"),
    };
    let events: Vec<_> = world.events.all().into_iter().map(granted).collect();
    assert_eq!(events, [(file, owner(2))]);
    assert_eq!(world.share.locks_held(&nfs(2), file, &owner_of(2)).await, Ok(1));
    assert_eq!(world.share.locks_held(&nfs(3), file, &owner_of(3)).await, Ok(0));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_gets_nothing() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    world.owner_lock(1, file, LockKind::Exclusive, false).await;
    let wait = world.share.wait_token();
    let lock = Lock { range: bytes(0, 1), kind: LockKind::Shared, holder: owner(2) };
    let request = LockRequest { lock, wait: Some(wait), waits: true, reclaims: false };
    assert_eq!(world.share.lock(&nfs(2), file, &request).await, Ok(LockReply::Queued));

    assert_eq!(world.share.cancel_lock(&nfs(1), file, wait).await, Ok(false), "not of this client");
    assert_eq!(world.share.cancel_lock(&nfs(2), file, WaitToken(wait.0 ^ 1)).await, Ok(false));
    assert_eq!(world.share.cancel_lock(&nfs(2), file, wait).await, Ok(true));
    world.share.unlock(&nfs(1), file, &owner(1), LockRange::to_end(0)).await.unwrap();
    assert_eq!(world.events.all(), []);
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn who_may_neither_read_nor_write_locks_nothing() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let private = SetAttributes { mode: Some(0o600), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), file, &private, None).await.unwrap();
    let lock = Lock { range: bytes(0, 1), kind: LockKind::Shared, holder: owner(2) };
    let request = LockRequest { lock, wait: None, waits: true, reclaims: false };
    assert_eq!(world.share.lock(&user(2, 2_000), file, &request).await, Err(FsError::Access));
    assert_eq!(world.share.test_lock(&user(2, 2_000), file, &request.lock).await, Err(FsError::Access));
    assert_eq!(world.share.lock(&nfs(2), file, &request).await, Ok(LockReply::Granted));
}

#[tokio::test(start_paused = true)]
async fn nobody_locks_or_unlocks_for_another_client() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let smb = world.open(2, file, &shared()).await.unwrap();
    world.open_lock(&smb, file, LockKind::Exclusive).await.unwrap();
    let thief = Caller { opener: smb.opener, ..nfs(3) };
    assert_eq!(world.share.unlock(&thief, file, &by_open(&smb), bytes(0, 10)).await, Err(FsError::Invalid));
    assert_eq!(world.open_lock(&thief, file, LockKind::Shared).await, Err(FsError::Stale));
    assert_eq!(world.write(&thief, file, 0, b"x").await, Err(FsError::Locked));
    assert_eq!(world.share.unlock(&smb, file, &by_open(&smb), bytes(0, 9)).await, Err(FsError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn locks_of_owners_go_with_the_node() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    world.owner_lock(1, file, LockKind::Exclusive, false).await;
    assert!(!world.opens.is_idle());
    world.remove(&nfs(1), "a").await.unwrap();
    assert!(world.opens.is_idle());
}

fn whole(caller: &Caller) -> Lock {
    Lock { range: LockRange::to_end(0), kind: LockKind::Exclusive, holder: by_open(caller) }
}

async fn resize(world: &World, caller: &Caller, file: NodeId, size: u64) -> FsResult<()> {
    world.share.set_attributes(caller, file, &SetAttributes::size(size), None).await.map(|_| ())
}
