//! Named streams: what opens them and holds their files, who may, and what becomes of them.

mod removal;

use std::time::Duration;

use dittofs_domain::{
    Attributes, Credentials, FsError, Name, NodeId, NodeKind,
    access::AccessMask,
    namespace::{
        CreateHow, DosAttributes, InitialAttributes, LinkRequest, NewKind, SetAttributes, SetTime, StreamRename,
        stream::STREAMS_MAX,
    },
    node::NodeFlags,
    opens::ShareAccess,
    plan::{Query, Space},
};
use dittofs_ports::{
    Caller, LookupName, MetadataService, NameKind, NewNode, OpenFailure, OpenNameRequest, OpenRequest, OpenService,
    OpenedName,
};

use crate::world::{World, nfs, shared, user};

const READ: AccessMask = AccessMask::READ_DATA;
const WRITE: AccessMask = AccessMask::WRITE_DATA;

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

/// Of a stream, or of the file where its name is empty.
fn request(file: &str, stream: &str, how: Option<CreateHow>, rights: AccessMask) -> OpenNameRequest {
    let make = how.map(|how| NewNode {
        kind: NewKind::File,
        attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
        dos: DosAttributes { attributes: 0x20, ..DosAttributes::default() },
        how,
    });
    OpenNameRequest {
        directory: NodeId::ROOT,
        name: LookupName::Child(name(file)),
        stream: (!stream.is_empty()).then(|| name(stream)),
        kind: NameKind::Any,
        make,
        replace: None,
        replace_xattrs: Vec::new(),
        open: OpenRequest { rights, ..shared() },
    }
}

pub(crate) fn make(file: &str, stream: &str) -> OpenNameRequest {
    request(file, stream, Some(CreateHow::Unchecked), READ | WRITE | AccessMask::DELETE)
}

fn found(file: &str, stream: &str) -> OpenNameRequest {
    request(file, stream, None, READ)
}

fn through(caller: &Caller, opened: &OpenedName) -> Caller {
    Caller { opener: Some(opened.opened.token), ..caller.clone() }
}

fn id(opened: &OpenedName) -> NodeId {
    opened.opened.attributes.node
}

async fn close(world: &World, caller: &Caller, opened: &OpenedName) {
    world.share.close(&through(caller, opened), id(opened), opened.opened.token).await.unwrap();
}

/// Makes a stream with these bytes, and closes it.
pub(crate) async fn written(world: &World, file: &str, stream: &str, bytes: &'static [u8]) -> NodeId {
    let opened = world.share.open_name(&nfs(1), &make(file, stream)).await.unwrap();
    world.write(&through(&nfs(1), &opened), id(&opened), 0, bytes).await.unwrap();
    close(world, &nfs(1), &opened).await;
    id(&opened)
}

async fn file(world: &World, at: &str) -> Result<Attributes, FsError> {
    world.share.lookup(&nfs(1), NodeId::ROOT, &LookupName::Child(name(at))).await.map(|found| found.node)
}

async fn streams(world: &World, at: &str) -> Vec<(String, u64)> {
    let file = file(world, at).await.unwrap().node;
    let streams = world.share.streams(&nfs(1), file).await.unwrap();
    streams.into_iter().map(|stream| (stream.name.to_string(), stream.size)).collect()
}

async fn flags(world: &World, node: NodeId) -> NodeFlags {
    world.metadata.view(&Query::node(node)).await.unwrap().node(node).unwrap().flags
}

fn failed(error: FsError) -> OpenFailure {
    OpenFailure::Failed(error)
}

/// Lets some time go by, in which the reaper does its work.
async fn pass() {
    tokio::time::sleep(Duration::from_secs(5)).await;
}

/// Nodes and rows are gone.
async fn gone(world: &World, nodes: &[NodeId]) {
    for _ in 0..10 {
        pass().await;
    }
    for node in nodes {
        assert!(world.metadata.view(&Query::node(*node)).await.unwrap().node(*node).is_err(), "{node} is left");
        let left = world.metadata.list(*node, Space::Streams, Default::default(), 9, false).await.unwrap();
        assert!(left.entries.is_empty());
    }
    assert!(world.metadata.unlinked(NodeId(0), 9).await.unwrap().is_empty());
    let left = world.metadata.nodes(NodeId(0), 99).await.unwrap();
    assert!(left.iter().all(|node| node.kind != NodeKind::Stream), "{left:?}");
    let counted = world.metadata.statistics().await.unwrap();
    assert_eq!((counted.nodes, counted.bytes), (1, 0), "nothing is counted for what is gone");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_made_with_its_file_and_found_in_any_case() {
    let world = World::new().await;
    let missing = world.share.open_name(&nfs(1), &found("a", "s")).await;
    assert_eq!(missing.unwrap_err(), failed(FsError::NotFound));
    let made = world.share.open_name(&nfs(1), &make("a", "Stream")).await.unwrap();
    assert!(made.is_new);
    let of = file(&world, "a").await.unwrap();
    assert_eq!((of.kind, of.size, of.dos_attributes), (NodeKind::File, 0, 0x20));
    let shown = &made.opened.attributes;
    assert_eq!((shown.kind, shown.file, shown.mode, shown.uid), (NodeKind::Stream, of.node, of.mode, of.uid));
    world.write(&through(&nfs(1), &made), id(&made), 0, b"bytes").await.unwrap();
    close(&world, &nfs(1), &made).await;

    let again = world.share.open_name(&nfs(2), &found("a", "sTREAM")).await.unwrap();
    assert_eq!((id(&again), again.stream.clone(), again.is_new), (id(&made), Some(name("Stream")), false));
    assert_eq!(world.read(&through(&nfs(2), &again), id(&again)).await.unwrap(), b"bytes");
    close(&world, &nfs(2), &again).await;
    assert_eq!(streams(&world, "a").await, [("Stream".to_owned(), 5)]);
    let guarded = request("a", "STREAM", Some(CreateHow::Guarded), READ);
    assert_eq!(world.share.open_name(&nfs(1), &guarded).await.unwrap_err(), failed(FsError::Exists));
    assert!(world.opens.is_idle(), "closed streams hold nothing");
}

#[tokio::test(start_paused = true)]
async fn of_several_who_make_a_stream_at_once_one_does() {
    let world = World::new().await;
    world.file("a", b"").await;
    let callers: Vec<Caller> = (1..=8).map(nfs).collect();
    let guarded = request("a", "s", Some(CreateHow::Guarded), READ);
    let all = callers.iter().map(|caller| world.share.open_name(caller, &guarded));
    let opened = futures_util::future::join_all(all).await;
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1);
    assert_eq!(streams(&world, "a").await.len(), 1);
    let unchecked = make("a", "t");
    let all = callers.iter().map(|caller| world.share.open_name(caller, &unchecked));
    let opened: Vec<OpenedName> = futures_util::future::try_join_all(all).await.unwrap();
    assert_eq!(opened.iter().filter(|opened| opened.is_new).count(), 1);
    assert!(opened.iter().all(|other| id(other) == id(&opened[0])));
}

#[tokio::test(start_paused = true)]
async fn a_file_has_so_many_streams_and_no_more() {
    let world = World::new().await;
    let of = world.file("full", b"").await;
    for number in 0..STREAMS_MAX {
        written(&world, "full", &format!("s{number}"), b"").await;
    }
    let refused = world.share.open_name(&nfs(1), &make("full", "one more")).await;
    assert_eq!(refused.unwrap_err(), failed(FsError::NoSpace));
    assert_eq!(world.share.streams(&nfs(1), of).await.unwrap().len(), STREAMS_MAX);
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn the_file_says_who_may() {
    let cases = [
        (0o600, READ, Err(FsError::Access)),
        (0o644, READ, Ok(())),
        (0o644, WRITE, Err(FsError::Access)),
        (0o666, WRITE, Ok(())),
    ];
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    let of = file(&world, "a").await.unwrap().node;
    for (mode, rights, expected) in cases {
        let changed = SetAttributes { mode: Some(mode), ..SetAttributes::default() };
        world.share.set_attributes(&nfs(1), of, &changed, None).await.unwrap();
        let opened = world.share.open_name(&user(2, 2_000), &request("a", "s", None, rights)).await;
        assert_eq!(opened.map(drop), expected.map_err(failed), "{mode:o} {rights:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_only_read_a_file_gives_it_no_stream() {
    let world = World::new().await;
    world.file("a", b"").await;
    let (other, make) = (user(2, 2_000), request("a", "s", Some(CreateHow::Unchecked), READ));
    assert_eq!(world.share.open_name(&other, &make).await.unwrap_err(), failed(FsError::Access));
    assert!(streams(&world, "a").await.is_empty());
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_file_and_no_directory_has_no_streams() {
    let world = World::new().await;
    let link = dittofs_domain::namespace::CreateRequest {
        directory: NodeId::ROOT,
        name: name("link"),
        kind: NewKind::Symlink(b"a".as_slice().into()),
        attributes: InitialAttributes::default(),
        how: CreateHow::Guarded,
    };
    world.share.create(&nfs(1), &link, None).await.unwrap();
    let refused = world.share.open_name(&nfs(1), &make("link", "s")).await;
    assert_eq!(refused.unwrap_err(), failed(FsError::Invalid));
    assert!(world.opens.is_idle());
    let stream = written(&world, "a", "s", b"").await;
    let link = LinkRequest { node: stream, directory: NodeId::ROOT, name: name("b") };
    assert_eq!(world.share.link(&nfs(1), &link, None).await.unwrap_err(), FsError::NotPermitted);
}

#[tokio::test(start_paused = true)]
async fn a_rename_takes_a_name_only_from_a_stream_that_is_empty_and_not_open() {
    let world = World::new().await;
    let stream = written(&world, "a", "s", b"bytes").await;
    written(&world, "a", "full", b"bytes").await;
    written(&world, "a", "empty", b"").await;
    let opened = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    let (caller, file) = (through(&nfs(1), &opened), opened.opened.attributes.file);
    let to =
        |to, replace| StreamRename { file, from: name("s"), to: name(to), stream, held: AccessMask::DELETE, replace };
    let rename = async |to: StreamRename| world.share.rename_stream(&caller, &to).await;
    assert_eq!(rename(to("empty", false)).await, Err(FsError::Exists));
    assert_eq!(rename(to("full", true)).await, Err(FsError::Invalid));
    let held = world.share.open_name(&nfs(2), &found("a", "empty")).await.unwrap();
    assert_eq!(rename(to("empty", true)).await, Err(FsError::Invalid));
    close(&world, &nfs(2), &held).await;
    let other = StreamRename { stream: id(&held), ..to("x", true) };
    assert_eq!(rename(other).await, Err(FsError::NotFound), "the name is not that stream's");
    rename(to("S", true)).await.unwrap();
    assert!(streams(&world, "a").await.contains(&("S".to_owned(), 5)), "only the case has changed");
    rename(to("EMPTY", true)).await.unwrap();
    close(&world, &nfs(1), &opened).await;
    let mut left = streams(&world, "a").await;
    left.sort();
    assert_eq!(left, [("EMPTY".to_owned(), 5), ("full".to_owned(), 5)]);
}

fn overwrite(file: &str, stream: &str) -> OpenNameRequest {
    let request = make(file, stream);
    OpenNameRequest {
        replace: Some(SetAttributes::size(0)),
        open: OpenRequest { truncate: true, ..request.open },
        ..request
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_overwritten_loses_its_streams_unless_somebody_keeps_one() {
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    written(&world, "a", "t", b"bytes").await;
    let kept = OpenNameRequest { open: OpenRequest { deny: ShareAccess::DELETE, ..shared() }, ..found("a", "s") };
    let kept = world.share.open_name(&nfs(2), &kept).await.unwrap();
    let replace = request("a", "", Some(CreateHow::Unchecked), WRITE);
    let replace = OpenNameRequest { replace: Some(SetAttributes::size(0)), ..replace };
    let replace = OpenNameRequest { open: OpenRequest { truncate: true, ..replace.open }, ..replace };
    let refused = world.share.open_name(&nfs(1), &replace).await;
    assert_eq!(refused.unwrap_err(), failed(FsError::ShareDenied));
    assert_eq!(streams(&world, "a").await.len(), 2, "a refused call changes nothing");
    close(&world, &nfs(2), &kept).await;

    let stream = world.share.open_name(&nfs(1), &overwrite("a", "s")).await.unwrap();
    assert_eq!(stream.opened.attributes.size, 0);
    close(&world, &nfs(1), &stream).await;
    assert_eq!(streams(&world, "a").await, [("s".to_owned(), 0), ("t".to_owned(), 5)], "only that stream is empty");
    let opened = world.share.open_name(&nfs(1), &replace).await.unwrap();
    assert!(streams(&world, "a").await.is_empty());
    assert!(!flags(&world, id(&opened)).await.contains(NodeFlags::STREAMS));
    close(&world, &nfs(1), &opened).await;
    world.remove(&nfs(1), "a").await.unwrap();
    gone(&world, &[id(&opened), id(&stream)]).await;
}

/// Who opened a stream to write sets its size, whatever the file allows by then.
#[tokio::test(start_paused = true)]
async fn an_open_keeps_its_rights_when_the_files_are_taken_away() {
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    let opened = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    let caller = through(&nfs(1), &opened);
    let mode = SetAttributes { mode: Some(0), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), opened.opened.attributes.file, &mode, None).await.unwrap();
    let size = SetAttributes { held: WRITE, ..SetAttributes::size(2) };
    world.share.set_attributes(&caller, id(&opened), &size, None).await.unwrap();
    assert_eq!(world.read(&caller, id(&opened)).await.unwrap(), b"by");
    let without = SetAttributes::size(1);
    let refused = world.share.set_attributes(&caller, id(&opened), &without, None).await;
    assert_eq!(refused.map(drop), Err(FsError::Access), "the stream itself gives nobody a right");
}

#[tokio::test(start_paused = true)]
async fn a_file_takes_over_when_its_stream_was_written() {
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    let before = file(&world, "a").await.unwrap();
    let opened = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    let caller = through(&nfs(1), &opened);
    pass().await;
    world.write(&caller, id(&opened), 0, b"other").await.unwrap();
    let shown = world.share.attributes(&caller, id(&opened)).await.unwrap();
    assert!(shown.mtime > before.mtime);
    close(&world, &nfs(1), &opened).await;
    let after = file(&world, "a").await.unwrap();
    assert_eq!(after.mtime, shown.mtime);
    assert!(after.ctime > before.ctime && after.change > before.change);

    // A time that a client has set since then stays.
    let opened = world.share.open_name(&nfs(1), &make("a", "s")).await.unwrap();
    world.write(&through(&nfs(1), &opened), id(&opened), 0, b"third").await.unwrap();
    pass().await;
    let set = SetAttributes { mtime: SetTime::To(before.mtime), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), after.node, &set, None).await.unwrap();
    assert_eq!(world.share.attributes(&caller, id(&opened)).await.unwrap().mtime, before.mtime);
    close(&world, &nfs(1), &opened).await;
    assert_eq!(file(&world, "a").await.unwrap().mtime, before.mtime);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_leaves_open_is_given_up_with_it() {
    let world = World::new().await;
    written(&world, "a", "s", b"bytes").await;
    let opened = world.share.open_name(&nfs(2), &make("a", "s")).await.unwrap();
    let entry = Some((opened.opened.attributes.file, name("s")));
    let caller = through(&nfs(2), &opened);
    world.share.set_deletion(&caller, id(&opened), opened.opened.token, entry).await.unwrap();
    dittofs_ports::EntryService::release_client(&*world.services, nfs(2).client).await.unwrap();
    assert!(streams(&world, "a").await.is_empty());
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_directory_has_streams_and_is_listed_without_them() {
    let world = World::new().await;
    let root = Caller { credentials: Credentials::root(), ..nfs(1) };
    let of_root = OpenNameRequest { name: LookupName::This, ..make("a", "s") };
    let opened = world.share.open_name(&root, &of_root).await.unwrap();
    assert_eq!((opened.opened.attributes.file, opened.opened.attributes.kind), (NodeId::ROOT, NodeKind::Stream));
    close(&world, &root, &opened).await;
    let list = dittofs_ports::ListRequest {
        directory: NodeId::ROOT,
        after: Default::default(),
        entries_max: 9,
        with_attributes: true,
    };
    assert!(world.share.list(&root, &list).await.unwrap().entries.is_empty());
    assert_eq!(world.share.streams(&root, NodeId::ROOT).await.unwrap().len(), 1);
}
