//! The journal fails.

use std::sync::Arc;

use dittofs_domain::{NodeId, Sequence, error::FsError, namespace::SetAttributes};
use dittofs_ports::{
    AdminService, BlockService, Journal, JournalError, MetadataError, MetadataService, Stability, WriteVerifier,
};
use futures_util::FutureExt;

use crate::{
    interposed::After,
    world::{World, caller},
};

#[tokio::test]
async fn a_failed_sync_is_an_error_and_changes_the_verifier() {
    let stable: [Stability; 2] = [Stability::Data, Stability::File];
    for stability in stable {
        let world = World::new().await;
        let node = world.file(b"").await;
        let before = world.write(node, b"one", Stability::Unstable).await.unwrap().verifier;
        world.faults.sync.always(|| JournalError::SyncFailed("disk".into()));
        assert_eq!(world.write(node, b"two", stability).await.unwrap_err(), FsError::Io);
        world.faults.sync.clear();
        let after = world.share.commit(&caller(), node).await.unwrap().verifier;
        assert_ne!(after, before, "the client must send the first write again");
        assert_eq!(world.write(node, b"three", Stability::Unstable).await.unwrap().verifier, after);
    }
}

#[tokio::test]
async fn a_commit_whose_sync_fails_is_an_error_and_changes_the_verifier() {
    let world = World::new().await;
    let node = world.file(b"").await;
    let before = world.write(node, b"one", Stability::Unstable).await.unwrap().verifier;
    world.faults.sync.always(|| JournalError::SyncFailed("disk".into()));
    assert_eq!(world.share.commit(&caller(), node).await.unwrap_err(), FsError::Io);
    world.faults.sync.clear();
    assert_ne!(world.share.commit(&caller(), node).await.unwrap().verifier, before);
}

#[tokio::test]
async fn a_commit_succeeds_with_another_verifier_after_a_sync_that_lost_nothing() {
    let world = World::new().await;
    let node = world.file(b"").await;
    let before = world.write(node, b"one", Stability::Unstable).await.unwrap().verifier;
    let mut errors = vec![JournalError::SyncFailed("disk".into())];
    world.faults.sync.set(move || errors.pop());
    assert_ne!(world.share.commit(&caller(), node).await.unwrap().verifier, before);
}

/// A file whose bytes are stored, with newer ones in the journal; and the verifier with which these were acknowledged.
async fn written_over(world: &World) -> (NodeId, WriteVerifier) {
    let node = world.file(b"old").await;
    world.services.flush().await.unwrap();
    let verifier = world.write(node, b"new", Stability::Unstable).await.unwrap().verifier;
    (node, verifier)
}

#[tokio::test]
async fn what_a_sync_has_lost_that_nobody_waited_for_is_reported_by_the_next_commit() {
    let world = World::new().await;
    let (node, before) = written_over(&world).await;
    world.faults.lose(node, world.faults.last());
    // Newer bytes of the file are durable.
    world.share.write(&caller(), node, 3, "er".into(), Stability::Unstable).await.unwrap();
    assert_ne!(world.share.commit(&caller(), node).await.unwrap().verifier, before);
    assert_eq!(world.read(node).await, Ok(b"older".to_vec()), "what was lost covers nothing any more");
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.journal.usage().used, 0);
}

#[tokio::test]
async fn what_a_sync_has_lost_that_nobody_waited_for_is_reported_though_all_is_flushed() {
    let world = World::new().await;
    let (node, before) = written_over(&world).await;
    world.faults.lose(node, world.faults.last());
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.read(node).await, Ok(b"old".to_vec()));
    assert_ne!(world.share.commit(&caller(), node).await.unwrap().verifier, before);
}

#[tokio::test]
async fn what_is_lost_is_forgotten_once_the_metadata_can_be_read() {
    let world = World::new().await;
    let (node, _) = written_over(&world).await;
    let other = world.node("other").await;
    world.share.write(&caller(), other, 0, "bytes".into(), Stability::Unstable).await.unwrap();
    world.faults.lose(node, world.faults.appended.lock()[1].0.sequence);
    // The first request is the commit's own, and succeeds.
    let mut answers = vec![Some(MetadataError::Unavailable("away".into())), None];
    world.faults.metadata.set(move || answers.pop().flatten());
    assert_eq!(world.share.commit(&caller(), other).await.unwrap_err(), FsError::Busy);
    world.faults.metadata.clear();
    assert_eq!(world.read(node).await, Ok(b"new".to_vec()));
    world.share.commit(&caller(), other).await.unwrap();
    assert_eq!(world.read(node).await, Ok(b"old".to_vec()));
}

/// The record is lost, and looked for in the index, before it is there.
#[tokio::test]
async fn a_record_that_is_lost_while_it_is_written_is_forgotten_too() {
    let world = World::new().await;
    let (node, _) = written_over(&world).await;
    let other = world.node("other").await;
    world.share.write(&caller(), other, 0, "bytes".into(), Stability::Unstable).await.unwrap();
    let (share, faults) = (Arc::clone(&world.share), Arc::clone(&world.faults));
    let next = Sequence(faults.last().0 + 1);
    world.faults.append.set(move || {
        faults.lose(node, next);
        share.commit(&caller(), other).now_or_never().unwrap().unwrap();
        None
    });
    world.write(node, b"last", Stability::Unstable).await.unwrap();
    world.faults.append.clear();
    assert_eq!(world.faults.last(), next);
    world.share.commit(&caller(), other).await.unwrap();
    assert_eq!(world.read(node).await, Ok(b"new".to_vec()));
}

#[tokio::test]
async fn a_flush_of_whole_files_does_not_wait_for_the_journal() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.faults.sync.always(|| JournalError::SyncFailed("disk".into()));
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
}

#[tokio::test]
async fn what_newer_bytes_cover_of_a_file_that_was_truncated_is_given_up_only_when_they_are_durable() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    let (share, faults) = (Arc::clone(&world.share), Arc::clone(&world.faults));
    // The object's row is written: its bytes were taken before.
    world.next.set(After::Apply, async move {
        share.set_attributes(&caller(), node, &SetAttributes::size(4), None).await.unwrap();
        share.write(&caller(), node, 0, "more".into(), Stability::Unstable).await.unwrap();
        faults.sync.always(|| JournalError::Unavailable("disk".into()));
    });
    assert_eq!(world.services.flush().await, Err(FsError::Busy));
    assert!(world.next.is_over());
    assert!(world.journal.usage().used > b"more".len() as u64, "the older record is still there");
    world.faults.sync.clear();
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.read(node).await, Ok(b"more".to_vec()));
    assert_eq!(world.journal.usage().used, 0);
}

/// The older record has bytes that no object of the flush has yet. Nothing of it is in the index any more, but if the
/// newer one is lost in a crash it counts again.
#[tokio::test]
async fn what_newer_bytes_cover_of_a_file_that_takes_two_objects_is_given_up_only_when_they_are_durable() {
    let world = World::tiny().await;
    let node = world.file(&[1; 60 << 10]).await;
    let (share, faults) = (Arc::clone(&world.share), Arc::clone(&world.faults));
    // The row of the first object is written: the bytes of the second one were not taken yet.
    world.next.set(After::Apply, async move {
        share.write(&caller(), node, 32 << 10, vec![2; 28 << 10].into(), Stability::Unstable).await.unwrap();
        faults.sync.always(|| JournalError::Unavailable("disk".into()));
    });
    assert_eq!(world.services.flush().await, Err(FsError::Busy));
    assert!(world.next.is_over());
    assert!(world.journal.usage().used > 60 << 10, "the older record is still there");
    world.faults.sync.clear();
    assert_eq!(world.services.flush().await, Ok(()));
    let read = world.share.read(&caller(), node, 0, 64 << 10).await.unwrap().data.concat();
    assert_eq!(read, [vec![1; 32 << 10], vec![2; 28 << 10]].concat());
    assert_eq!(world.journal.usage().used, 0);
}

#[tokio::test]
async fn a_write_that_is_not_journalled_changes_nothing() {
    let cases: [(fn() -> JournalError, FsError); 3] = [
        (|| JournalError::Full, FsError::Busy),
        (|| JournalError::Unavailable("disk".into()), FsError::Io),
        (|| JournalError::Corrupt("torn".into()), FsError::Io),
    ];
    for (error, answer) in cases {
        let world = World::new().await;
        let node = world.file(b"bytes").await;
        let before = world.share.attributes(&caller(), node).await.unwrap();
        world.faults.append.always(error);
        assert_eq!(world.write(node, b"longer than before", Stability::Unstable).await.unwrap_err(), answer);
        assert_eq!(world.share.attributes(&caller(), node).await.unwrap(), before);
        assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
        world.faults.append.clear();
        world.write(node, b"again", Stability::Unstable).await.unwrap();
        assert_eq!(world.read(node).await, Ok(b"again".to_vec()));
    }
}
