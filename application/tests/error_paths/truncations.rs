//! A reader that has looked at what is unflushed, when nothing was, and looks into the map after something was written and
//! removed: it must not answer the file of neither state.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use dittofs_application::ServedShare;
use dittofs_domain::{NodeId, error::FsError, namespace::SetAttributes, plan::Query};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{
    AdminService, ApplyError, BlockService, CloneRange, ContentError, MetadataService, MetadataStore, Seek, Stability,
};

use futures_util::FutureExt;

use crate::{
    interposed::After,
    world::{SHARE, World, caller},
};

type Event = Pin<Box<dyn Future<Output = ()> + Send>>;
type Begin = fn(Arc<ServedShare>, NodeId, NodeId) -> Event;

async fn write(share: &ServedShare, node: NodeId) {
    share.write(&caller(), node, 0, Bytes::from(vec![7; 200]), Stability::Unstable).await.unwrap();
}

fn events() -> [(&'static str, Begin); 3] {
    [
        ("truncation", |share, node, _| {
            Box::pin(async move {
                write(&share, node).await;
                share.set_attributes(&caller(), node, &SetAttributes::size(150), None).await.unwrap();
            })
        }),
        ("punch", |share, node, _| {
            Box::pin(async move {
                write(&share, node).await;
                share.punch(&caller(), node, 10..20).await.unwrap();
            })
        }),
        ("clone", |share, node, source| {
            Box::pin(async move {
                write(&share, node).await;
                let destination = node;
                let request = CloneRange { source, source_opener: None, offset: 1, length: 3, destination, at: 50 };
                share.clone_range(&caller(), &request).await.unwrap();
            })
        }),
    ]
}

#[tokio::test]
async fn a_reader_sees_what_was_written_before_a_removal_that_it_sees() {
    for (what, event) in events() {
        let world = World::new().await;
        let source = world.file(b"bytes").await;
        let node = world.node("other").await;
        world.next.set(After::ViewIsAskedFor, event(Arc::clone(&world.share), node, source));
        let read = world.share.read(&caller(), node, 0, 300).await.unwrap().data.concat();
        assert!(world.next.is_over(), "{what}: nothing came between");
        let new = world.share.read(&caller(), node, 0, 300).await.unwrap().data.concat();
        assert!(read.is_empty() || read == new, "{what}: {read:?}");
        assert!(new.len() >= 150 && new[30] == 7, "{what}");
    }
}

#[tokio::test]
async fn a_search_for_data_sees_what_was_written_before_a_removal_that_it_sees() {
    for (what, event) in events() {
        let world = World::new().await;
        let source = world.file(b"bytes").await;
        let node = world.node("other").await;
        world.next.set(After::ViewIsAskedFor, event(Arc::clone(&world.share), node, source));
        let found = world.share.seek(&caller(), node, 0, Seek::Data).await;
        assert!(world.next.is_over(), "{what}: nothing came between");
        assert!(matches!(found, Ok(Some(0)) | Err(_)), "{what}: {found:?}");
    }
}

/// Else the journal may show a record again after a crash, and not the newer ones that were laid over it.
#[tokio::test]
async fn a_record_is_released_after_it_is_stored_that_it_is_done_even_if_nothing_is_left_of_it() {
    let store = Arc::new(MemoryMetadataStore::new());
    let world = World::open(Arc::clone(&store), Vec::new()).await;
    let node = world.file(b"old bytes").await;
    let share = Arc::clone(&world.share);
    // While the object is on its way.
    world.next.set(After::Apply, async move {
        let newer = Bytes::from_static(b"newer");
        share.write(&caller(), node, 100, newer, Stability::Unstable).await.unwrap();
        share.punch(&caller(), node, 0..9).await.unwrap();
    });
    let mut puts = 0;
    world.faults.put.set(move || {
        puts += 1;
        (puts > 1).then(|| ContentError::Unavailable("away".into()))
    });
    world.services.flush().await.unwrap_err();
    assert!(world.next.is_over(), "nothing came between");
    let taken = world.faults.appended.lock()[0].0.sequence;
    let share = store.share(SHARE).await.unwrap().unwrap();
    let view = share.view(&Query::node(node)).await.unwrap();
    assert_eq!(view.node(node).unwrap().content_seq, taken);
}

/// A server that ends drops calls that take too long; what they sent to the metadata store is done all the same.
#[tokio::test]
async fn a_removal_of_which_nobody_hears_is_not_undone_by_a_flush() {
    for (what, size, removed) in [("truncation", 150, 150..200), ("punch", 200, 10..20)] {
        let store = Arc::new(MemoryMetadataStore::new());
        let world = World::open(Arc::clone(&store), Vec::new()).await;
        let node = world.file(&[8; 200]).await;
        world.services.flush().await.unwrap();
        world.write(node, &[7; 200], Stability::Unstable).await.unwrap();
        world.next.set(After::Apply, std::future::pending());
        let (share, range) = (Arc::clone(&world.share), removed.clone());
        let call = async move {
            match what {
                "punch" => share.punch(&caller(), node, range).await,
                _ => share.set_attributes(&caller(), node, &SetAttributes::size(size), None).await,
            }
        };
        assert!(call.now_or_never().is_none() && world.next.is_over(), "{what}: it was answered");
        let share = store.share(SHARE).await.unwrap().unwrap();
        let version = |view: dittofs_domain::plan::View| view.node(node).unwrap().content_version;
        let then = version(share.view(&Query::node(node)).await.unwrap());
        world.services.flush().await.unwrap();
        // One that is still on its way does not come any more.
        assert!(version(share.view(&Query::node(node)).await.unwrap()) > then, "{what}");
        let read = world.share.read(&caller(), node, 0, 300).await.unwrap().data.concat();
        assert_eq!(read.len() as u64, size, "{what}");
        let is_removed = |at: usize| removed.contains(&(at as u64));
        assert!(
            read.iter().enumerate().all(|(at, byte)| *byte == if is_removed(at) { 0 } else { 7 }),
            "{what}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_truncation_that_is_surely_refused_leaves_nothing_in_doubt() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.faults.apply.always(|| ApplyError::Full);
    let before = world.faults.applies.load(Ordering::Relaxed);
    let truncate = SetAttributes::size(2);
    let refused = world.share.set_attributes(&caller(), node, &truncate, None).await.map(drop);
    assert_eq!(refused, Err(FsError::NoSpace));
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), before + 1, "nothing had to be made to fit");
    assert_eq!(world.read(node).await, Ok(b"bytes".to_vec()));
}

#[tokio::test]
async fn a_file_that_can_not_be_made_to_fit_keeps_nobody_waiting() {
    let world = World::new().await;
    let node = world.file(b"bytes").await;
    world.faults.answer_of_apply.always(|| ApplyError::Unknown("lost".into()));
    // The store is full from the second plan on.
    let mut plans = 0;
    world.faults.apply.set(move || {
        plans += 1;
        (plans > 1).then_some(ApplyError::Full)
    });
    let truncate = SetAttributes::size(2);
    assert!(world.share.set_attributes(&caller(), node, &truncate, None).await.is_err());
    assert_eq!(world.services.flush().await, Err(FsError::NoSpace));
    world.faults.apply.clear();
    world.faults.answer_of_apply.clear();
    assert_eq!(world.services.flush().await, Ok(()));
    assert_eq!(world.read(node).await, Ok(b"by".to_vec()));
}
