//! Calls that are sent again under the same name, after a crash or because the store gave no answer.

use std::sync::{Arc, atomic::Ordering};

use dittofs_domain::{
    Name, NodeId, OpId,
    error::{FsError, FsResult},
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
        SetAttributes,
    },
};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{
    AdminService, ApplyError, Changed, Created, Linked, LookupName, MetadataError, MetadataService, Renamed,
};

use crate::{
    interposed::After,
    world::{World, caller},
};

const OP: OpId = OpId(7);

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

async fn create(world: &World, text: &str, kind: NewKind, how: CreateHow, op: OpId) -> FsResult<Created> {
    let attributes = InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() };
    let request = CreateRequest { directory: NodeId::ROOT, name: name(text), kind, attributes, how };
    world.share.create(&caller(), &request, Some(op)).await
}

async fn file(world: &World, text: &str, op: OpId) -> FsResult<Created> {
    create(world, text, NewKind::File, CreateHow::Guarded, op).await
}

async fn remove(world: &World, text: &str, kind: RemoveKind, op: OpId) -> FsResult<Changed> {
    let request = RemoveRequest { directory: NodeId::ROOT, name: name(text), kind };
    world.share.remove(&caller(), &request, Some(op)).await
}

async fn rename(world: &World, from: &str, to: &str, op: OpId) -> FsResult<Renamed> {
    let (from_directory, to_directory) = (NodeId::ROOT, NodeId::ROOT);
    let request = RenameRequest::new((from_directory, name(from)), (to_directory, name(to)));
    world.share.rename(&caller(), &request, Some(op)).await
}

async fn link(world: &World, id: NodeId, text: &str, op: OpId) -> FsResult<Linked> {
    let request = LinkRequest { node: id, directory: NodeId::ROOT, name: name(text) };
    world.share.link(&caller(), &request, Some(op)).await
}

async fn set(world: &World, id: NodeId, request: &SetAttributes, op: OpId) -> FsResult<Changed> {
    world.share.set_attributes(&caller(), id, request, Some(op)).await
}

async fn find(world: &World, text: &str) -> FsResult<NodeId> {
    let found = world.share.lookup(&caller(), NodeId::ROOT, &LookupName::Child(name(text))).await;
    found.map(|found| found.node.node)
}

/// A share, and the same one after its server was killed: nothing is there but what was stored.
async fn two_lives() -> (World, impl AsyncFn() -> World) {
    let store = Arc::new(MemoryMetadataStore::new());
    let first = World::open(Arc::clone(&store), Vec::new()).await;
    (first, async move || World::open(Arc::clone(&store), Vec::new()).await)
}

#[tokio::test]
async fn a_creation_is_answered_with_the_node_that_it_made() {
    for kind in [NewKind::File, NewKind::Directory, NewKind::Symlink(b"to".as_slice().into()), NewKind::Fifo] {
        let (world, again) = two_lives().await;
        let first = create(&world, "new", kind.clone(), CreateHow::Guarded, OP).await.unwrap();
        let world = again().await;
        let repeated = create(&world, "new", kind.clone(), CreateHow::Guarded, OP).await.unwrap();
        assert_eq!((&repeated.node, repeated.new), (&first.node, true));
        assert_eq!(repeated.directory.after, first.directory.after);
        let other = create(&world, "new", kind, CreateHow::Guarded, OpId(8)).await;
        assert_eq!(other.unwrap_err(), FsError::Exists, "another call");
    }
}

#[tokio::test]
async fn an_unchecked_creation_that_is_repeated_truncates_nothing() {
    let (world, again) = two_lives().await;
    let unchecked = async |world: &World, op: OpId| {
        let attributes = InitialAttributes { size: Some(0), ..InitialAttributes::default() };
        let how = CreateHow::Unchecked;
        let (directory, kind) = (NodeId::ROOT, NewKind::File);
        let request = CreateRequest { directory, name: name("file"), kind, attributes, how };
        world.share.create(&caller(), &request, Some(op)).await.unwrap()
    };
    let made = unchecked(&world, OP).await.node.node;
    unchecked(&world, OpId(8)).await;
    set(&world, made, &SetAttributes::size(100), OpId(9)).await.unwrap();
    let world = again().await;
    for op in [OP, OpId(8)] {
        let repeated = unchecked(&world, op).await;
        assert_eq!((repeated.node.node, repeated.node.size), (made, 100));
    }
}

#[tokio::test]
async fn a_removal_takes_no_second_file_of_the_same_name() {
    let (world, again) = two_lives().await;
    file(&world, "file", OpId(1)).await.unwrap();
    remove(&world, "file", RemoveKind::NotDirectory, OP).await.unwrap();
    create(&world, "dir", NewKind::Directory, CreateHow::Guarded, OpId(2)).await.unwrap();
    remove(&world, "dir", RemoveKind::Directory, OpId(3)).await.unwrap();
    let world = again().await;
    remove(&world, "file", RemoveKind::NotDirectory, OP).await.unwrap();
    remove(&world, "dir", RemoveKind::Directory, OpId(3)).await.unwrap();
    let newer = file(&world, "file", OpId(4)).await.unwrap().node.node;
    remove(&world, "file", RemoveKind::NotDirectory, OP).await.unwrap();
    assert_eq!(find(&world, "file").await, Ok(newer), "it is another one");
    let missing = remove(&world, "missing", RemoveKind::NotDirectory, OpId(5)).await;
    assert_eq!(missing.unwrap_err(), FsError::NotFound);
}

#[tokio::test]
async fn a_renaming_is_not_done_to_what_has_the_name_now() {
    let (world, again) = two_lives().await;
    let moved = file(&world, "from", OpId(1)).await.unwrap().node.node;
    rename(&world, "from", "to", OP).await.unwrap();
    let world = again().await;
    rename(&world, "from", "to", OP).await.unwrap();
    let newer = file(&world, "from", OpId(2)).await.unwrap().node.node;
    rename(&world, "from", "to", OP).await.unwrap();
    assert_eq!((find(&world, "from").await, find(&world, "to").await), (Ok(newer), Ok(moved)));
}

#[tokio::test]
async fn a_link_is_answered_with_its_node() {
    let (world, again) = two_lives().await;
    let made = file(&world, "file", OpId(1)).await.unwrap().node.node;
    let first = link(&world, made, "name", OP).await.unwrap();
    let world = again().await;
    let repeated = link(&world, made, "name", OP).await.unwrap();
    assert_eq!((repeated.node, repeated.directory.after), (first.node, first.directory.after));
}

#[tokio::test]
async fn a_guarded_change_of_attributes_meets_not_its_own_guard() {
    let (world, again) = two_lives().await;
    let made = file(&world, "file", OpId(1)).await.unwrap().node;
    let guarded = SetAttributes { guard: Some(made.ctime), mode: Some(0o600), ..SetAttributes::default() };
    let first = set(&world, made.node, &guarded, OP).await.unwrap();
    let truncate = SetAttributes { guard: Some(first.after.ctime), ..SetAttributes::size(9) };
    let second = set(&world, made.node, &truncate, OpId(2)).await.unwrap();
    let world = again().await;
    for (request, op) in [(&guarded, OP), (&truncate, OpId(2))] {
        assert_eq!(set(&world, made.node, request, op).await.unwrap().after, second.after);
        assert_eq!(set(&world, made.node, request, OpId(3)).await.unwrap_err(), FsError::NotSync, "another call");
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_answered_as_done_and_done_once() {
    let world = World::new().await;
    let mut lost = 1;
    world.faults.answer_of_apply.set(move || {
        lost = i32::checked_sub(lost, 1).filter(|left| *left >= 0)?;
        Some(ApplyError::Unknown("lost".into()))
    });
    let created = file(&world, "file", OP).await.unwrap();
    assert_eq!(find(&world, "file").await, Ok(created.node.node));
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_change_that_got_lost_is_sent_again() {
    let world = World::new().await;
    let mut lost = 1;
    world.faults.apply.set(move || {
        lost = i32::checked_sub(lost, 1).filter(|left| *left >= 0)?;
        Some(ApplyError::Unknown("lost".into()))
    });
    file(&world, "file", OP).await.unwrap();
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_became_of_a_change_is_never_guessed() {
    let world = World::new().await;
    let faults = Arc::clone(&world.faults);
    // The answer gets lost, and then the store is away.
    world.faults.answer_of_apply.set(move || {
        faults.metadata.always(|| MetadataError::Unavailable("away".into()));
        Some(ApplyError::Unknown("lost".into()))
    });
    assert_eq!(file(&world, "file", OP).await.unwrap_err(), FsError::Unanswered);
    // While it is away, the call is no new one that would have to come again as another.
    assert_eq!(file(&world, "file", OP).await.unwrap_err(), FsError::Unanswered);
    world.faults.metadata.clear();
    world.faults.answer_of_apply.clear();
    let created = file(&world, "file", OP).await.unwrap();
    assert_eq!((find(&world, "file").await, created.new), (Ok(created.node.node), true));
    assert_eq!(world.faults.applies.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_change_that_was_not_sent_may_come_again_as_another() {
    let world = World::new().await;
    world.faults.apply.always(|| ApplyError::Unavailable("away".into()));
    assert_eq!(file(&world, "file", OP).await.unwrap_err(), FsError::Busy);
    world.faults.apply.clear();
    file(&world, "file", OpId(8)).await.unwrap();
}

#[tokio::test]
async fn what_is_done_and_cannot_be_read_again_gets_no_answer() {
    let world = World::new().await;
    let made = world.file(b"bytes").await;
    let (services, faults) = (Arc::clone(&world.services), Arc::clone(&world.faults));
    world.next.set(After::Apply, async move {
        // The attributes of the file that are shown have to be read once more.
        services.flush().await.unwrap();
        faults.metadata.always(|| MetadataError::Unavailable("away".into()));
    });
    let linked = link(&world, made, "name", OP).await;
    assert!(world.next.is_over(), "nothing came between");
    assert_eq!(linked.unwrap_err(), FsError::Unanswered);
    world.faults.metadata.clear();
    assert_eq!(link(&world, made, "name", OP).await.unwrap().node.node, made);
}
