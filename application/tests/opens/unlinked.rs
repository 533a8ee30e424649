use std::time::Duration;

use dittofs_domain::{ClientId, FsError, NodeId, plan::UnlinkedReason};
use dittofs_ports::{EntryService, OpenService};

use crate::world::{World, nfs, shared, token};

async fn notes(world: &World) -> Vec<(NodeId, UnlinkedReason)> {
    world.metadata.unlinked(NodeId(0), 16).await.unwrap()
}

async fn exists(world: &World, file: NodeId) -> bool {
    let query = dittofs_domain::plan::Query::node(file);
    world.metadata.view(&query).await.unwrap().node(file).is_ok()
}

async fn some_time() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_file_without_a_name_is_readable_until_its_last_close() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let first = world.open(1, file, &shared()).await.unwrap();
    world.remove(&nfs(2), "a").await.unwrap();
    assert_eq!(notes(&world).await, [(file, UnlinkedReason::Open)]);
    some_time().await;

    assert_eq!(world.read(&first, file).await.unwrap(), b"text");
    world.write(&first, file, 4, b"ure").await.unwrap();
    let second = world.open(2, file, &shared()).await.unwrap();
    world.share.close(&first, file, token(&first)).await.unwrap();
    some_time().await;
    assert_eq!(world.read(&second, file).await.unwrap(), b"texture");

    world.share.close(&second, file, token(&second)).await.unwrap();
    assert_eq!(world.read(&second, file).await, Err(FsError::Stale));
    assert_eq!(world.open(1, file, &shared()).await.unwrap_err(), FsError::Stale);
    some_time().await;
    assert!(!exists(&world, file).await);
    assert_eq!(notes(&world).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_file_without_a_name_goes_with_the_client_that_had_it_open() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    world.open(1, file, &shared()).await.unwrap();
    world.remove(&nfs(2), "a").await.unwrap();
    some_time().await;
    assert!(exists(&world, file).await);
    world.services.release_client(ClientId::Nfs4(1)).await.unwrap();
    some_time().await;
    assert!(!exists(&world, file).await);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_nobody_has_open_goes_at_once() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    world.remove(&nfs(2), "a").await.unwrap();
    assert!(!exists(&world, file).await);
    assert_eq!(world.open(1, file, &shared()).await.unwrap_err(), FsError::Stale);
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_name_taken_over_by_a_rename_leaves_its_open_file_readable() {
    use dittofs_domain::{Name, namespace::RenameRequest};
    use dittofs_ports::MetadataService;
    let world = World::new().await;
    let old = world.file("old", b"old").await;
    world.file("new", b"new").await;
    let reader = world.open(1, old, &shared()).await.unwrap();
    let request =
        RenameRequest::new((NodeId::ROOT, Name::new(b"new").unwrap()), (NodeId::ROOT, Name::new(b"old").unwrap()));
    world.share.rename(&nfs(2), &request, None).await.unwrap();
    some_time().await;
    assert_eq!(world.read(&reader, old).await.unwrap(), b"old");
    assert_eq!(notes(&world).await, [(old, UnlinkedReason::Open)]);
}
