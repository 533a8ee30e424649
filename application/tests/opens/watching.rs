//! Watching directories, while callers of whatever protocol change what is in them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dittofs_domain::{
    FsError, Name, NodeId,
    access::AccessMask,
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
        SetAttributes, StreamRename,
    },
    watch::{ChangeAction, ChangeKinds, ChangeRecord},
};
use dittofs_ports::{
    BlockService, Caller, ChangeListener, MetadataService, OpenRequest, OpenService, ShareServices, Watch, WatchReply,
    WatchRequest, WatchService,
};

use crate::world::{World, nfs, shared, token, user};

const ADDED: ChangeAction = ChangeAction::Added;
const REMOVED: ChangeAction = ChangeAction::Removed;
const MODIFIED: ChangeAction = ChangeAction::Modified;

#[derive(Default)]
struct Listener(AtomicUsize);

impl ChangeListener for Listener {
    fn changed(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

async fn try_watch(world: &World, caller: &Caller, directory: NodeId, tree: bool) -> Result<Arc<dyn Watch>, FsError> {
    let request = WatchRequest { kinds: ChangeKinds::all(), tree, bytes_max: 4_096 };
    world.share.watch(caller, directory, &request, Arc::<Listener>::default()).await
}

async fn watch(world: &World, directory: NodeId, tree: bool) -> Arc<dyn Watch> {
    try_watch(world, &nfs(9), directory, tree).await.unwrap()
}

/// Takes what there is: actions and paths.
fn taken(watch: &Arc<dyn Watch>) -> Vec<(ChangeAction, String)> {
    let text = |name: &Name| String::from_utf8_lossy(name.as_bytes()).into_owned();
    let path = |record: &ChangeRecord| {
        let path = record.path.iter().map(text).collect::<Vec<_>>().join("/");
        record.stream.iter().map(text).fold(path, |path, stream| format!("{path}:{stream}"))
    };
    match watch.take() {
        WatchReply::Nothing => Vec::new(),
        WatchReply::Changes(records) => records.iter().map(|record| (record.action, path(record))).collect(),
        reply => panic!("{reply:?}"),
    }
}

fn told(changes: &[(ChangeAction, &str)]) -> Vec<(ChangeAction, String)> {
    changes.iter().map(|(action, path)| (*action, (*path).to_owned())).collect()
}

async fn make(world: &World, directory: NodeId, text: &str, kind: NewKind, mode: u16) -> NodeId {
    let request = CreateRequest {
        directory,
        name: name(text),
        kind,
        attributes: InitialAttributes { mode: Some(mode), ..InitialAttributes::default() },
        how: CreateHow::Guarded,
    };
    world.share.create(&nfs(1), &request, None).await.unwrap().node.node
}

async fn directory(world: &World, above: NodeId, text: &str) -> NodeId {
    make(world, above, text, NewKind::Directory, 0o755).await
}

async fn file(world: &World, above: NodeId, text: &str) -> NodeId {
    make(world, above, text, NewKind::File, 0o644).await
}

async fn remove(world: &World, directory: NodeId, text: &str, kind: RemoveKind) {
    let request = RemoveRequest { directory, name: name(text), kind };
    world.share.remove(&nfs(1), &request, None).await.unwrap();
}

async fn rename(world: &World, from: (NodeId, &str), to: (NodeId, &str)) {
    let request = RenameRequest::new((from.0, name(from.1)), (to.0, name(to.1)));
    world.share.rename(&nfs(1), &request, None).await.unwrap();
}

/// An open that may remove what it opens.
fn removable() -> OpenRequest {
    OpenRequest { rights: shared().rights | AccessMask::DELETE, ..shared() }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_what_others_do_in_its_directory() {
    let world = World::new().await;
    let watch = watch(&world, NodeId::ROOT, false).await;
    let made = world.file("a", b"text").await;
    assert_eq!(taken(&watch), told(&[(ADDED, "a"), (MODIFIED, "a")]));
    world.share.set_attributes(&nfs(1), made, &SetAttributes::size(1), None).await.unwrap();
    world.share.punch(&nfs(1), made, 0..1).await.unwrap();
    assert_eq!(taken(&watch), told(&[(MODIFIED, "a")]), "what was modified again says so once");
    rename(&world, (NodeId::ROOT, "a"), (NodeId::ROOT, "b")).await;
    assert_eq!(
        taken(&watch),
        told(&[(ChangeAction::RenamedFrom, "a"), (ChangeAction::RenamedTo, "b"), (MODIFIED, "b")])
    );
    remove(&world, NodeId::ROOT, "b", RemoveKind::NotDirectory).await;
    assert_eq!(taken(&watch), told(&[(REMOVED, "b")]));
    world.share.read_link(&nfs(1), made).await.unwrap_err();
    assert_eq!(watch.take(), WatchReply::Nothing);
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_watched_by_its_top_and_a_directory_only_by_itself() {
    let world = World::new().await;
    let above = directory(&world, NodeId::ROOT, "d").await;
    let below = directory(&world, above, "e").await;
    let (top, flat) = (watch(&world, NodeId::ROOT, true).await, watch(&world, NodeId::ROOT, false).await);
    let (middle, beside) = (watch(&world, above, true).await, directory(&world, NodeId::ROOT, "f").await);
    assert_eq!((taken(&top), taken(&flat)), (told(&[(ADDED, "f")]), told(&[(ADDED, "f")])));

    let made = file(&world, below, "a").await;
    world.write(&nfs(1), made, 0, b"text").await.unwrap();
    assert_eq!(taken(&top), told(&[(ADDED, "d/e/a"), (MODIFIED, "d/e/a")]));
    assert_eq!(taken(&middle), told(&[(ADDED, "e/a"), (MODIFIED, "e/a")]));
    assert_eq!(flat.take(), WatchReply::Nothing);

    rename(&world, (below, "a"), (beside, "b")).await;
    assert_eq!(taken(&top), told(&[(REMOVED, "d/e/a"), (ADDED, "f/b"), (MODIFIED, "f/b")]));
    assert_eq!(taken(&middle), told(&[(REMOVED, "e/a")]));
    rename(&world, (above, "e"), (beside, "g")).await;
    file(&world, below, "c").await;
    assert_eq!(taken(&top), told(&[(REMOVED, "d/e"), (ADDED, "f/g"), (ADDED, "f/g/c")]));
    assert_eq!(taken(&middle), told(&[(REMOVED, "e")]), "what was moved out of it is no more its concern");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_a_name_that_it_could_not_have_listed() {
    let world = World::new().await;
    let open = directory(&world, NodeId::ROOT, "open").await;
    let hidden = make(&world, open, "hidden", NewKind::Directory, 0o700).await;
    let unlisted = make(&world, open, "unlisted", NewKind::Directory, 0o711).await;
    let owner = try_watch(&world, &nfs(1), NodeId::ROOT, true).await.unwrap();
    let stranger = try_watch(&world, &user(2, 2_000), NodeId::ROOT, true).await.unwrap();
    for above in [hidden, unlisted, directory(&world, hidden, "below").await] {
        file(&world, above, "a").await;
    }
    assert_eq!(taken(&owner).len(), 4);
    assert_eq!(stranger.take(), WatchReply::Nothing);
    file(&world, open, "b").await;
    assert_eq!(taken(&stranger), told(&[(ADDED, "open/b")]));
    // Who may list a directory, and come to nothing in it, is told of its own names only.
    let shut = make(&world, NodeId::ROOT, "shut", NewKind::Directory, 0o744).await;
    let below = directory(&world, shut, "below").await;
    let stranger_there = try_watch(&world, &user(2, 2_000), shut, true).await.unwrap();
    let owner_there = try_watch(&world, &nfs(1), shut, true).await.unwrap();
    for above in [shut, below] {
        file(&world, above, "a").await;
    }
    assert_eq!(taken(&stranger_there), told(&[(ADDED, "a")]));
    assert_eq!(taken(&owner_there), told(&[(ADDED, "a"), (ADDED, "below/a")]));
    stranger.take();
    let listable = SetAttributes { mode: Some(0o755), ..Default::default() };
    world.share.set_attributes(&nfs(1), hidden, &listable, None).await.unwrap();
    file(&world, hidden, "c").await;
    assert_eq!(taken(&stranger), told(&[(MODIFIED, "open/hidden"), (ADDED, "open/hidden/c")]));
    assert_eq!(try_watch(&world, &user(2, 2_000), unlisted, false).await.err(), Some(FsError::Access));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_directory_that_is_gone_makes_nobody_list_anew() {
    let world = World::new().await;
    let gone = directory(&world, NodeId::ROOT, "gone").await;
    let left = file(&world, gone, "left").await;
    let (top, flat) = (watch(&world, NodeId::ROOT, true).await, watch(&world, NodeId::ROOT, false).await);
    let opens = [world.open(1, left, &shared()).await.unwrap(), world.open(1, gone, &shared()).await.unwrap()];
    remove(&world, gone, "left", RemoveKind::NotDirectory).await;
    remove(&world, NodeId::ROOT, "gone", RemoveKind::Directory).await;
    taken(&top);
    taken(&flat);
    world.write(&opens[0], left, 0, b"text").await.unwrap();
    assert_eq!((top.take(), flat.take()), (WatchReply::Nothing, WatchReply::Nothing));
}

#[tokio::test(start_paused = true)]
async fn a_tree_that_is_too_deep_makes_only_those_list_anew_who_watch_it() {
    let world = World::new().await;
    let mut deepest = NodeId::ROOT;
    for _ in 0..130 {
        deepest = directory(&world, deepest, "d").await;
    }
    let (top, flat) = (watch(&world, NodeId::ROOT, true).await, watch(&world, NodeId::ROOT, false).await);
    let there = watch(&world, deepest, false).await;
    file(&world, deepest, "a").await;
    assert_eq!((top.take(), flat.take()), (WatchReply::Overflowed, WatchReply::Nothing));
    assert_eq!(taken(&there), told(&[(ADDED, "a")]));
}

#[tokio::test(start_paused = true)]
async fn repeated_writes_are_told_again_to_who_has_taken_them() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let (one, other) = (watch(&world, NodeId::ROOT, true).await, watch(&world, NodeId::ROOT, false).await);
    for _ in 0..3 {
        for _ in 0..5 {
            world.write(&nfs(1), file, 0, b"text").await.unwrap();
        }
        assert_eq!(taken(&one), told(&[(MODIFIED, "a")]));
    }
    assert_eq!(taken(&other), told(&[(MODIFIED, "a")]));
    let late = watch(&world, NodeId::ROOT, false).await;
    world.write(&nfs(1), file, 0, b"text").await.unwrap();
    assert_eq!(taken(&late), told(&[(MODIFIED, "a")]));
}

#[tokio::test(start_paused = true)]
async fn a_file_of_several_names_is_told_of_by_the_newest_and_then_by_none() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let link = LinkRequest { node: file, directory: NodeId::ROOT, name: name("b") };
    world.share.link(&nfs(1), &link, None).await.unwrap();
    let watch = watch(&world, NodeId::ROOT, true).await;
    world.write(&nfs(1), file, 0, b"text").await.unwrap();
    assert_eq!(taken(&watch), told(&[(MODIFIED, "b")]));
    remove(&world, NodeId::ROOT, "b", RemoveKind::NotDirectory).await;
    world.write(&nfs(1), file, 0, b"text").await.unwrap();
    assert_eq!(taken(&watch), told(&[(REMOVED, "b")]));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_that_its_directory_goes() {
    let world = World::new().await;
    let above = directory(&world, NodeId::ROOT, "d").await;
    let first = watch(&world, above, false).await;
    let open = world.open(1, above, &removable()).await.unwrap();
    let name = Some((NodeId::ROOT, name("d")));
    world.share.set_deletion(&open, above, token(&open), name.clone()).await.unwrap();
    assert_eq!(first.take(), WatchReply::Removed);
    let late = watch(&world, above, false).await;
    assert_eq!(late.take(), WatchReply::Removed, "whoever comes later, too");
    world.share.set_deletion(&open, above, token(&open), None).await.unwrap();
    assert_eq!(first.take(), WatchReply::Nothing);
    file(&world, above, "a").await;
    assert_eq!(taken(&first), told(&[(ADDED, "a")]));
    remove(&world, above, "a", RemoveKind::NotDirectory).await;

    let top = watch(&world, NodeId::ROOT, true).await;
    remove(&world, NodeId::ROOT, "d", RemoveKind::Directory).await;
    assert_eq!((first.take(), late.take()), (WatchReply::Removed, WatchReply::Removed));
    assert_eq!(taken(&top), told(&[(REMOVED, "d")]));
    world.share.close(&open, above, token(&open)).await.unwrap();
    assert_eq!(try_watch(&world, &nfs(9), above, false).await.err(), Some(FsError::Stale));
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_its_last_close_is_told_of_then() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let watch = watch(&world, NodeId::ROOT, true).await;
    let open = world.open(1, file, &removable()).await.unwrap();
    world.share.set_deletion(&open, file, token(&open), Some((NodeId::ROOT, name("a")))).await.unwrap();
    assert_eq!(watch.take(), WatchReply::Nothing);
    world.share.close(&open, file, token(&open)).await.unwrap();
    assert_eq!(taken(&watch), told(&[(REMOVED, "a")]));
}

#[tokio::test(start_paused = true)]
async fn who_is_told_of_too_much_lists_anew_and_is_told_of_what_comes_then() {
    let world = World::new().await;
    let watch = watch(&world, NodeId::ROOT, false).await;
    for number in 0..300 {
        world.file(&format!("file {number}"), b"").await;
    }
    assert_eq!(watch.take(), WatchReply::Overflowed);
    world.file("a", b"").await;
    assert_eq!(taken(&watch), told(&[(ADDED, "a")]));
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_keeps_neither_the_share_nor_its_services() {
    let world = World::new().await;
    let watch = watch(&world, NodeId::ROOT, false).await;
    world.services.retire(world.share.handle_signer().share).await.unwrap();
    assert_eq!(watch.take(), WatchReply::Ended);
    assert_eq!(try_watch(&world, &nfs(9), NodeId::ROOT, false).await.err(), Some(FsError::Stale));
}

#[tokio::test(start_paused = true)]
async fn a_file_is_not_watched() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    assert_eq!(try_watch(&world, &nfs(9), file, false).await.err(), Some(FsError::NotDirectory));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_watchers_of_a_tree_are_all_told() {
    let world = World::new().await;
    let above = directory(&world, NodeId::ROOT, "d").await;
    let mut watches = Vec::new();
    for _ in 0..1_000 {
        watches.push(watch(&world, NodeId::ROOT, true).await);
    }
    for number in 0..50 {
        file(&world, above, &format!("{number}")).await;
    }
    for watch in &watches {
        assert_eq!(taken(watch).len(), 50);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_of_streams_by_the_name_of_their_file() {
    let world = World::new().await;
    let directory = watch(&world, NodeId::ROOT, false).await;
    let stream = crate::streams::written(&world, "a", "s", b"").await;
    let of = |action, path| told(&[(action, path)])[0].clone();
    let all = taken(&directory);
    assert_eq!(all, [of(ADDED, "a"), of(ChangeAction::AddedStream, "a:s")]);
    let opened = world.share.open_name(&nfs(1), &crate::streams::make("a", "s")).await.unwrap();
    let caller = Caller { opener: Some(opened.opened.token), ..nfs(1) };
    world.write(&caller, stream, 0, b"bytes").await.unwrap();
    assert_eq!(taken(&directory), [of(ChangeAction::ModifiedStream, "a:s")]);
    let size = SetAttributes { held: AccessMask::WRITE_DATA, ..SetAttributes::size(1) };
    world.share.set_attributes(&caller, stream, &size, None).await.unwrap();
    assert_eq!(taken(&directory), [of(ChangeAction::ModifiedStream, "a:s")]);
    let file = opened.opened.attributes.file;
    let rename =
        StreamRename { file, from: name("s"), to: name("t"), stream, held: AccessMask::DELETE, replace: false };
    world.share.rename_stream(&caller, &rename).await.unwrap();
    let renamed = [of(ChangeAction::RemovedStream, "a:s"), of(ChangeAction::AddedStream, "a:t")];
    assert_eq!(taken(&directory), renamed);
    let entry = Some((file, name("t")));
    world.share.set_deletion(&caller, stream, opened.opened.token, entry).await.unwrap();
    world.share.close(&caller, stream, opened.opened.token).await.unwrap();
    assert_eq!(taken(&directory), [of(ChangeAction::RemovedStream, "a:t")]);
}
