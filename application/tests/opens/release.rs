use dittofs_domain::{ClientId, opens::LockKind};
use dittofs_ports::{EntryService, LockReply};

use crate::world::{Event, World, cached, nfs, owner, shared};

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_leaves_nothing_and_frees_those_who_wait() {
    let world = World::new().await;
    let (a, b) = (world.file("a", b"text").await, world.file("b", b"text").await);
    let smb = world.open(1, a, &shared()).await.unwrap();
    world.open(1, b, &cached(7)).await.unwrap();
    world.open_lock(&smb, a, LockKind::Exclusive).await.unwrap();
    assert_eq!(world.owner_lock(2, a, LockKind::Shared, true).await, LockReply::Queued);

    let request = shared();
    let open = world.open(2, b, &request);
    let release = async {
        world.events.wait_break().await;
        world.services.release_client(ClientId::Nfs4(1)).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open, release);
    opened.unwrap();
    let granted = |event: &Event| matches!(event, Event::Granted(node, w) if *node == a && w.lock.holder == owner(2));
    assert!(world.events.all().iter().any(granted));
    assert_eq!(world.opens.nodes_of(ClientId::Nfs4(1)).await.unwrap(), []);
    assert_eq!(world.read(&nfs(3), a).await.unwrap(), b"text");

    world.services.release_client(ClientId::Nfs4(2)).await.unwrap();
    assert!(world.opens.is_idle());
}
