//! A share that goes while calls are on their way, and one whose policy changes.

use std::sync::Arc;

use dittofs_application::{Network, RetireError, SharePolicy};
use dittofs_domain::{FsError, ShareId, credentials::Squash, quota::Quota};
use dittofs_ports::{AdminService, ContentError, EntryService, Presented, ShareServices, Stability};
use tokio::sync::oneshot;

use crate::{
    interposed::After,
    world::{SHARE, World, caller},
};

fn who() -> Presented {
    Presented {
        identity: Some(caller().credentials),
        address: [127, 0, 0, 1].into(),
        port: 700,
        client: caller().client,
    }
}

#[tokio::test]
async fn what_was_written_is_flushed_and_handles_are_stale() {
    let world = World::new().await;
    let file = world.file(b"bytes").await;
    let handle = world.share.handle_signer().handle(file).to_bytes();
    world.services.enter(&handle, &who()).unwrap();
    world.services.retire(SHARE).await.unwrap();
    assert_eq!(world.journal_used(), 0, "everything is in the content store");
    assert_eq!(world.services.enter(&handle, &who()).unwrap_err(), FsError::Stale);
    assert_eq!(world.services.share(SHARE).unwrap_err(), FsError::Stale);
    assert_eq!(world.services.mount(b"/export", &who()).await.unwrap_err(), FsError::NotFound);
    assert!(world.services.shares().is_empty());
    assert!(matches!(world.services.retire(SHARE).await, Err(RetireError::Unknown)));
    assert!(matches!(world.services.retire(ShareId(1)).await, Err(RetireError::Unknown)));
}

#[tokio::test]
async fn a_change_on_its_way_ends_first() {
    let world = World::new().await;
    let (services, (retires, retiring)) = (Arc::clone(&world.services), oneshot::channel());
    // The share begins to go while a file is being made.
    world.next.set(After::ViewIsAskedFor, async move {
        let task = tokio::spawn(async move { services.retire(SHARE).await });
        tokio::task::yield_now().await;
        assert!(!task.is_finished(), "it waits for the file");
        retires.send(task).unwrap();
    });
    world.create("file").await.unwrap();
    assert_eq!(world.create("another").await.unwrap_err(), FsError::Stale);
    retiring.await.unwrap().await.unwrap().unwrap();
}

#[tokio::test]
async fn one_that_can_not_be_closed_cleanly_is_served_no_more_and_says_so() {
    let world = World::new().await;
    world.file(b"bytes").await;
    world.faults.put.always(|| ContentError::Unavailable("away".into()));
    assert!(matches!(world.services.retire(SHARE).await, Err(RetireError::Close(_))));
    assert_eq!(world.services.share(SHARE).unwrap_err(), FsError::Stale);
    assert!(world.journal_used() > 0, "it is in the journal still");
}

fn policy(world: &World, change: impl FnOnce(&mut SharePolicy)) {
    let mut policy = world.volume.policy().clone();
    change(&mut policy);
    world.volume.set_policy(policy);
}

#[tokio::test]
async fn calls_are_judged_by_the_newest_policy() {
    let world = World::new().await;
    let file = world.file(b"bytes").await;
    let handle = world.share.handle_signer().handle(file).to_bytes();
    let uid = || world.services.enter(&handle, &who()).map(|entered| entered.caller.credentials.uid);
    assert_eq!(uid(), Ok(1_000));
    policy(&world, |policy| policy.identity.squash = Squash::All);
    assert_eq!(uid(), Ok(65_534));
    policy(&world, |policy| policy.clients = vec![Network::new([10, 0, 0, 0].into(), 8).unwrap()]);
    assert_eq!(uid(), Err(FsError::Access));
    policy(&world, |policy| policy.read_only = true);
    assert!(world.share.is_read_only());
    assert_eq!(world.write(file, b"more", Stability::Unstable).await.unwrap_err(), FsError::ReadOnly);
    policy(&world, |policy| (policy.read_only, policy.quota) = (false, Quota { bytes: 1, ..Quota::NONE }));
    assert_eq!(world.create("over the quota").await.unwrap_err(), FsError::NoSpace);
    policy(&world, |policy| policy.quota = Quota::NONE);
    world.create("within the quota").await.unwrap();
}
