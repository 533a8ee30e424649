use std::time::Duration;

use dittofs_domain::{
    FsError, NodeId,
    access::AccessMask,
    opens::{AcknowledgeError, LeaseForm, LeaseKey, Rights, ShareAccess},
};
use dittofs_ports::{AcknowledgeFailure, Caller, OpenRequest, OpenService};

use crate::world::{Event, World, cached, nfs, shared, token};

const BREAK: Duration = Duration::from_secs(35);

fn lease(client: &Caller, id: u128) -> LeaseKey {
    LeaseKey { client: client.client, form: LeaseForm::Lease, id }
}

async fn holder(world: &World, file: NodeId) -> Caller {
    let caller = nfs(1);
    let opened = world.share.open(&caller, file, &cached(7)).await.unwrap();
    assert_eq!(opened.lease.unwrap().1.rights, Rights::all());
    Caller { opener: Some(opened.token), ..caller }
}

#[tokio::test(start_paused = true)]
async fn an_open_waits_until_the_holder_of_a_lease_acknowledges_its_break() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let holder = holder(&world, file).await;
    let (request, before) = (shared(), world.elapsed());
    let open = world.open(2, file, &request);
    let acknowledge = async {
        let request = world.events.wait_break().await;
        assert_eq!(request.key, lease(&holder, 7));
        assert_eq!((request.from, request.to), (Rights::all(), Rights::READ | Rights::HANDLE));
        // The holder writes back what it has, then acknowledges.
        world.write(&holder, file, 0, b"dirty").await.unwrap();
        let more = world.share.acknowledge(&holder, file, request.key, Rights::all()).await;
        assert_eq!(more, Err(AcknowledgeFailure::Refused(AcknowledgeError::TooMuch)));
        world.share.acknowledge(&holder, file, request.key, request.to).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open, acknowledge);
    assert_eq!(world.read(&opened.unwrap(), file).await.unwrap(), b"dirty");
    assert!(world.elapsed() - before < BREAK);
}

#[tokio::test(start_paused = true)]
async fn a_break_that_nobody_acknowledges_is_revoked_by_its_deadline() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let holder = holder(&world, file).await;
    // Counted from the break, not from the grant.
    tokio::time::sleep(BREAK * 3).await;
    let before = world.elapsed();
    world.open(2, file, &shared()).await.unwrap();
    let waited = world.elapsed() - before;
    assert!(waited >= BREAK && waited < BREAK + Duration::from_secs(1), "{waited:?}");
    let revoked = Event::Revoked(file, lease(&holder, 7));
    assert!(world.events.all().contains(&revoked));
    let late = world.share.acknowledge(&holder, file, lease(&holder, 7), Rights::READ).await;
    assert_eq!(late, Err(AcknowledgeFailure::Refused(AcknowledgeError::Unknown)));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_must_come_again() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let holder = holder(&world, file).await;
    let impatient = OpenRequest { waits: false, ..shared() };
    let before = world.elapsed();
    assert_eq!(world.open(2, file, &impatient).await.unwrap_err(), FsError::Busy);
    assert_eq!(world.open(2, file, &impatient).await.unwrap_err(), FsError::Busy);
    assert_eq!(world.elapsed(), before);
    assert_eq!(world.events.breaks().len(), 1, "one break is sent once");
    world.share.acknowledge(&holder, file, lease(&holder, 7), Rights::READ).await.unwrap();
    world.open(2, file, &impatient).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_open_breaks_leases_too_but_waits_a_second_only() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let holder = holder(&world, file).await;
    let before = world.elapsed();
    assert_eq!(world.write(&nfs(2), file, 0, b"x").await, Err(FsError::Busy));
    assert!(world.elapsed() - before < Duration::from_secs(2));
    assert_eq!(world.events.breaks()[0].to, Rights::empty());
    world.share.return_lease(&holder, file, lease(&holder, 7)).await.unwrap();
    world.write(&nfs(2), file, 0, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_breaks_nothing() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    holder(&world, file).await;
    let other_user = crate::world::user(2, 2_000);
    assert_eq!(world.write(&other_user, file, 0, b"x").await, Err(FsError::Access));
    assert_eq!(world.share.open(&other_user, file, &shared()).await.unwrap_err(), FsError::Access);
    assert_eq!(world.events.all(), []);
}

#[tokio::test(start_paused = true)]
async fn a_cached_open_that_denies_is_asked_back_and_its_close_lets_others_in() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let exclusive = OpenRequest { deny: ShareAccess::READ | ShareAccess::WRITE, ..cached(7) };
    let holder = world.open(1, file, &exclusive).await.unwrap();
    let request = shared();
    let open = world.open(2, file, &request);
    let close = async {
        let request = world.events.wait_break().await;
        assert!(!request.to.contains(Rights::HANDLE));
        world.share.close(&holder, file, token(&holder)).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open, close);
    opened.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_grows_only_where_others_leave_room() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let first = world.open(1, file, &cached(7)).await.unwrap();
    let reader = OpenRequest { rights: AccessMask::READ_ATTRIBUTES, ..shared() };
    let second = world.open(2, file, &reader).await.unwrap();
    let wanted = lease(&second, 8);
    let grant = world.share.request_lease(&nfs(3), file, wanted, Rights::READ).await;
    assert_eq!(grant, Err(FsError::Invalid), "another client's key");
    let grant = world.share.request_lease(&second, file, wanted, Rights::all()).await.unwrap();
    assert_eq!(grant.rights, Rights::empty());
    world.share.close(&first, file, token(&first)).await.unwrap();
    assert_eq!(world.events.all(), [], "nothing is broken for a lease");
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_while_it_waits_leaves_nothing() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let holder = holder(&world, file).await;
    let request = shared();
    let open = tokio::time::timeout(Duration::from_secs(5), world.open(2, file, &request));
    assert!(open.await.is_err());
    world.share.close(&holder, file, token(&holder)).await.unwrap();
    assert!(world.opens.is_idle());
}
