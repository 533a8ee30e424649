//! The metadata store fails.

use std::{sync::atomic::Ordering, time::Duration};

use dittofs_domain::{
    Cookie, Name, NodeId,
    error::FsError,
    namespace::{RemoveKind, RemoveRequest, SetAttributes},
};
use dittofs_ports::{
    AdminService, ApplyError, BlockService, ListRequest, LookupName, MetadataError, MetadataService, Stability,
};

use crate::world::{SHARE, World, caller};

/// After so many conflicts a caller must come again.
const ATTEMPTS_MAX: usize = 8;

/// The error of each call that reads metadata.
async fn errors_of_calls(world: &World, node: NodeId) -> Vec<FsError> {
    let (share, who) = (&world.share, caller());
    // Sums are known for as long.
    *world.faults.passed.lock() += Duration::from_secs(5);
    let name = LookupName::Child(Name::new(b"file").unwrap());
    let list = ListRequest { directory: NodeId::ROOT, after: Cookie::START, entries_max: 10, with_attributes: true };
    let remove =
        RemoveRequest { directory: NodeId::ROOT, name: Name::new(b"file").unwrap(), kind: RemoveKind::NotDirectory };
    vec![
        share.attributes(&who, node).await.unwrap_err(),
        share.access(&who, node).await.unwrap_err(),
        share.lookup(&who, NodeId::ROOT, &name).await.unwrap_err(),
        share.list(&who, &list).await.unwrap_err(),
        share.remove(&who, &remove, None).await.unwrap_err(),
        share.set_attributes(&who, node, &SetAttributes::size(1), None).await.unwrap_err(),
        share.commit(&who, node).await.unwrap_err(),
        world.services.space(SHARE).await.unwrap_err(),
        world.read(node).await.unwrap_err(),
        world.write(node, b"new", Stability::Unstable).await.unwrap_err(),
        world.create("another").await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_store_that_does_not_answer_lets_callers_come_again() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.faults.metadata.always(|| MetadataError::Unavailable("away".into()));
    let errors = errors_of_calls(&world, node).await;
    assert!(errors.iter().all(|error| *error == FsError::Busy), "{errors:?}");
    world.faults.metadata.clear();
    assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
}

#[tokio::test]
async fn a_damaged_store_is_an_error() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.faults.metadata.always(|| MetadataError::Corrupt("torn".into()));
    let errors = errors_of_calls(&world, node).await;
    assert!(errors.iter().all(|error| *error == FsError::Io), "{errors:?}");
}

#[tokio::test]
async fn a_plan_that_is_not_applied_says_why() {
    let world = World::new().await;
    let cases: [(fn() -> ApplyError, FsError); 4] = [
        (|| ApplyError::Full, FsError::NoSpace),
        (|| ApplyError::Malformed, FsError::Io),
        (|| ApplyError::Unavailable("away".into()), FsError::Busy),
        (|| ApplyError::Corrupt("torn".into()), FsError::Io),
    ];
    for (error, answer) in cases {
        world.faults.apply.always(error);
        let applies = world.faults.applies.load(Ordering::Relaxed);
        assert_eq!(world.create("file").await.unwrap_err(), answer);
        assert_eq!(world.faults.applies.load(Ordering::Relaxed), applies + 1, "none of these is tried again");
    }
    world.faults.apply.clear();
    assert!(world.create("file").await.is_ok());
}

#[tokio::test]
async fn a_change_that_always_meets_others_gives_up() {
    let world = World::new().await;
    world.faults.apply.always(|| ApplyError::Conflict);
    assert_eq!(world.create("file").await.unwrap_err(), FsError::Busy);
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), ATTEMPTS_MAX);
    let locks = world.faults.locks.lock().clone();
    assert_eq!(locks, [false, false, false, true, true, true, true, true], "rows are locked after three conflicts");
}

#[tokio::test]
async fn a_change_that_meets_others_for_a_while_is_made_once() {
    let world = World::new().await;
    let mut conflicts = ATTEMPTS_MAX - 1;
    world.faults.apply.set(move || {
        conflicts = conflicts.checked_sub(1)?;
        Some(ApplyError::Conflict)
    });
    assert!(world.create("file").await.unwrap().new);
    assert_eq!(world.create("file").await.unwrap_err(), FsError::Exists);
}

#[tokio::test]
async fn a_flush_that_is_not_published_keeps_the_bytes_and_is_tried_again() {
    for failing in 0..2 {
        let world = World::new().await;
        let node = world.file(b"bytes").await;
        let mut call = 0;
        world.faults.apply.set(move || {
            call += 1;
            (call == failing + 1).then(|| ApplyError::Unavailable("away".into()))
        });
        assert_eq!(world.services.flush().await, Err(FsError::Busy), "call {failing} fails");
        assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
        assert_eq!(world.services.flush().await, Ok(()));
        assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
        assert!(world.faults.gets.load(Ordering::Relaxed) > 0, "they are read from the content store");
    }
}

#[tokio::test]
async fn a_full_store_is_reported_although_a_file_of_the_same_object_is_damaged() {
    let world = World::new().await;
    let nodes = [world.node("damaged").await, world.node("whole").await];
    for node in nodes {
        world.write(node, b"bytes", Stability::Unstable).await.unwrap();
    }
    // The row of the object, and then each file.
    let mut answers = vec![ApplyError::Full, ApplyError::Corrupt("a row".into())];
    let mut was_asked = false;
    world.faults.apply.set(move || if std::mem::replace(&mut was_asked, true) { answers.pop() } else { None });
    assert_eq!(world.services.flush().await, Err(FsError::NoSpace));
    assert_eq!(world.write(nodes[1], b"more", Stability::Unstable).await.map(drop), Err(FsError::NoSpace));
}
