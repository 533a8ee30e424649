//! Leases of directories, while callers of whatever protocol change what these list. The cases are those of Samba's
//! `smb2.dirlease`, and those that it does not have.

mod given_up;

use std::time::Duration;

use dittofs_domain::{
    Name, NodeId, Timestamp,
    access::AccessMask,
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
        Replace, SetAttributes, SetTime, SetXattrs,
    },
    opens::{Break, LeaseForm, LeaseKey, Rights},
    xattr::{SetHow, XattrChange, XattrName},
};
use dittofs_ports::{
    BlockService, CacheKey, CacheRequest, Caller, EntryService, LookupName, MetadataService, NameKind, NewNode,
    OpenNameRequest, OpenRequest, OpenService,
};

use crate::world::{Event, World, nfs, shared, token};

const RH: Rights = Rights::READ.union(Rights::HANDLE);
const ROOT: NodeId = NodeId::ROOT;
const HOLDER: u64 = 9;

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

async fn make(world: &World, caller: &Caller, directory: NodeId, text: &str, kind: NewKind) -> NodeId {
    let attributes = InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() };
    let request = CreateRequest { directory, name: name(text), kind, attributes, how: CreateHow::Guarded };
    world.share.create(caller, &request, None).await.unwrap().node.node
}

async fn directory(world: &World, text: &str) -> NodeId {
    make(world, &nfs(1), ROOT, text, NewKind::Directory).await
}

async fn file(world: &World, directory: NodeId, text: &str) -> NodeId {
    make(world, &nfs(1), directory, text, NewKind::File).await
}

async fn rename(world: &World, caller: &Caller, from: (NodeId, &str), to: (NodeId, &str)) {
    let request = RenameRequest::new((from.0, name(from.1)), (to.0, name(to.1)));
    world.share.rename(caller, &request, None).await.unwrap();
}

async fn remove(world: &World, caller: &Caller, directory: NodeId, text: &str, kind: RemoveKind) {
    world.share.remove(caller, &RemoveRequest { directory, name: name(text), kind }, None).await.unwrap();
}

async fn link(world: &World, caller: &Caller, node: NodeId, directory: NodeId, text: &str) {
    world.share.link(caller, &LinkRequest { node, directory, name: name(text) }, None).await.unwrap();
}

fn listing(key: u128, rights: Rights) -> OpenRequest {
    let cache = Some(CacheRequest { key: CacheKey::Lease(key), rights });
    OpenRequest { rights: AccessMask::READ_DATA | AccessMask::READ_ATTRIBUTES, cache, ..shared() }
}

/// The holder of a lease of a directory, or of several under one client.
struct Holder<'w> {
    world: &'w World,
    directory: NodeId,
    key: u128,
    caller: Caller,
}

impl<'w> Holder<'w> {
    async fn new(world: &'w World, client: u64, directory: NodeId, key: u128) -> Holder<'w> {
        let caller = world.open(client, directory, &listing(key, RH)).await.unwrap();
        let holder = Holder { world, directory, key, caller };
        assert_eq!(holder.rights().await, RH);
        holder
    }

    fn lease(&self) -> LeaseKey {
        LeaseKey { client: self.caller.client, form: LeaseForm::Lease, id: self.key }
    }

    async fn rights(&self) -> Rights {
        let grant = self.world.share.request_lease(&self.caller, self.directory, self.lease(), Rights::empty()).await;
        grant.unwrap().rights
    }

    /// The breaks of the lease so far.
    fn breaks(&self) -> Vec<Break> {
        self.world.events.breaks().into_iter().filter(|request| request.key == self.lease()).collect()
    }

    /// Whether it was broken once since this was last asked, to nothing. Acknowledges, and asks for it again.
    async fn is_broken(&self, before: usize) -> bool {
        let breaks = self.breaks();
        let Some(last) = breaks.get(before) else { return false };
        assert_eq!(breaks.len(), before + 1, "once");
        assert_eq!((last.from, last.to), (RH, Rights::empty()));
        assert!(last.deadline_ms.is_some(), "its handles have to be closed");
        self.world.share.acknowledge(&self.caller, self.directory, self.lease(), Rights::empty()).await.unwrap();
        let again = self.world.share.request_lease(&self.caller, self.directory, self.lease(), RH).await.unwrap();
        assert_eq!((again.rights, again.epoch), (RH, last.epoch + 1));
        true
    }
}

/// Whether something breaks a lease.
async fn breaks<T>(holder: &Holder<'_>, change: impl Future<Output = T>) -> bool {
    let (before, start) = (holder.breaks().len(), holder.world.elapsed());
    change.await;
    assert_eq!(holder.world.elapsed(), start, "nobody waits for who caches a listing");
    holder.is_broken(before).await
}

/// As the caller, who caches the directory under this key.
fn of_parent(caller: &Caller, key: u128) -> Caller {
    Caller { parent_lease: Some(key), ..caller.clone() }
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_never_cached_to_be_written() {
    let world = World::new().await;
    let directory = directory(&world, "d").await;
    for (wanted, granted) in [
        (Rights::all(), RH),
        (RH, RH),
        (Rights::READ | Rights::WRITE, Rights::READ),
        (Rights::READ, Rights::READ),
        (Rights::WRITE, Rights::empty()),
        (Rights::HANDLE, Rights::empty()),
    ] {
        let opened = world.share.open(&nfs(1), directory, &listing(1, wanted)).await.unwrap();
        assert_eq!(opened.lease.unwrap().1.rights, granted, "{wanted:?}");
        world.share.close(&nfs(1), directory, opened.token).await.unwrap();
    }
    let new = NewNode {
        kind: NewKind::Directory,
        attributes: InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() },
        dos: Default::default(),
        how: CreateHow::Guarded,
    };
    let made = OpenNameRequest {
        directory: ROOT,
        name: LookupName::Child(name("e")),
        stream: None,
        kind: NameKind::Directory,
        make: Some(new),
        replace: None,
        replace_xattrs: Vec::new(),
        open: listing(2, Rights::all()),
    };
    let made = world.share.open_name(&nfs(1), &made).await.unwrap().opened;
    assert_eq!(made.lease.unwrap().1.rights, RH);
    make(&world, &nfs(2), made.attributes.node, "a", NewKind::File).await;
    assert_eq!(world.events.breaks().len(), 1, "one that is new is cached as others are");
}

#[tokio::test(start_paused = true)]
async fn names_that_come_and_go_break_leases_of_their_directory_alone() {
    let world = World::new().await;
    let (there, beside) = (directory(&world, "there").await, directory(&world, "beside").await);
    let (holder, other) = (Holder::new(&world, HOLDER, there, 1).await, Holder::new(&world, HOLDER, beside, 2).await);
    let nfs = nfs(1);
    assert!(breaks(&holder, make(&world, &nfs, there, "a", NewKind::File)).await);
    assert!(breaks(&holder, make(&world, &nfs, there, "b", NewKind::Directory)).await);
    let target = NewKind::Symlink((*b"target").into());
    assert!(breaks(&holder, make(&world, &nfs, there, "c", target)).await);
    assert!(breaks(&holder, rename(&world, &nfs, (there, "a"), (there, "d"))).await);
    assert!(breaks(&holder, remove(&world, &nfs, there, "c", RemoveKind::NotDirectory)).await);
    assert!(breaks(&holder, remove(&world, &nfs, there, "b", RemoveKind::Directory)).await);
    assert_eq!(other.breaks(), [], "nothing has changed there");

    let before = other.breaks().len();
    assert!(breaks(&holder, rename(&world, &nfs, (there, "d"), (beside, "e"))).await, "the one that it leaves");
    assert!(other.is_broken(before).await, "and the one that it comes to");
    let moved = file(&world, there, "f").await;
    assert!(holder.is_broken(holder.breaks().len() - 1).await);
    let before = holder.breaks().len();
    assert!(breaks(&other, link(&world, &nfs, moved, beside, "g")).await);
    assert_eq!(holder.breaks().len(), before, "the other name stays as it was");
}

#[tokio::test(start_paused = true)]
async fn what_a_listing_shows_breaks_leases_where_it_changes() {
    let world = World::new().await;
    let (there, beside) = (directory(&world, "there").await, directory(&world, "beside").await);
    let (made, below) = (file(&world, there, "a").await, make(&world, &nfs(1), there, "d", NewKind::Directory).await);
    let (holder, other) = (Holder::new(&world, HOLDER, there, 1).await, Holder::new(&world, HOLDER, beside, 2).await);
    let at = SetTime::To(Timestamp::new(1, 0).unwrap());
    let changes = [
        SetAttributes { mode: Some(0o700), ..SetAttributes::default() },
        SetAttributes { dos_attributes: Some(2), ..SetAttributes::default() },
        SetAttributes { birth: at, ..SetAttributes::default() },
        SetAttributes { mtime: at, ..SetAttributes::default() },
        SetAttributes { atime: at, ..SetAttributes::default() },
    ];
    for change in &changes {
        for node in [made, below] {
            let set = async { drop(world.share.set_attributes(&nfs(1), node, change, None).await.unwrap()) };
            assert!(breaks(&holder, set).await, "{change:?}");
        }
    }
    let size = SetAttributes::size(5);
    let resize = async { drop(world.share.set_attributes(&nfs(1), made, &size, None).await.unwrap()) };
    assert!(breaks(&holder, resize).await);
    assert!(breaks(&holder, async { world.write(&nfs(1), made, 0, b"bytes").await.unwrap() }).await);
    assert!(breaks(&holder, async { world.write(&nfs(1), made, 0, b"again").await.unwrap() }).await, "it has it again");
    assert!(breaks(&holder, async { drop(world.share.punch(&nfs(1), made, 0..1).await.unwrap()) }).await);
    let xattrs = SetXattrs {
        changes: vec![XattrChange::Set {
            name: XattrName::new(bytes::Bytes::from_static(b"x")).unwrap(),
            value: bytes::Bytes::from_static(b"1"),
            how: SetHow::Either,
        }],
        held: AccessMask::empty(),
    };
    let set = async { drop(world.share.set_xattrs(&nfs(1), made, &xattrs, None).await.unwrap()) };
    assert!(breaks(&holder, set).await);

    let nothing = SetAttributes::default();
    let set = async { drop(world.share.set_attributes(&nfs(1), made, &nothing, None).await.unwrap()) };
    assert!(!breaks(&holder, set).await);
    assert!(!breaks(&holder, async { drop(world.read(&nfs(1), made).await.unwrap()) }).await);
    assert!(!breaks(&holder, file(&world, below, "x")).await, "only the times of one listed");
    assert_eq!(other.breaks(), []);
}

#[tokio::test(start_paused = true)]
async fn who_names_the_key_of_its_own_lease_keeps_it() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let (holder, twin, other) = (
        Holder::new(&world, 1, there, 1).await,
        Holder::new(&world, 1, there, 2).await,
        Holder::new(&world, 2, there, 1).await,
    );
    let before = (twin.breaks().len(), other.breaks().len());
    let spared = of_parent(&nfs(1), 1);
    assert!(!breaks(&holder, make(&world, &spared, there, "a", NewKind::File)).await);
    assert!(twin.is_broken(before.0).await, "another lease of the same client");
    assert!(other.is_broken(before.1).await, "another client that has chosen the same key");
    assert!(breaks(&holder, rename(&world, &of_parent(&nfs(1), 3), (there, "a"), (there, "b"))).await);
    assert!(breaks(&holder, rename(&world, &nfs(1), (there, "b"), (there, "c"))).await);
    assert!(!breaks(&holder, remove(&world, &spared, there, "c", RemoveKind::NotDirectory)).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_written_through_an_open_is_listed_when_that_is_closed() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let made = file(&world, there, "a").await;
    let holder = Holder::new(&world, HOLDER, there, 1).await;
    let close = async |caller: &Caller| world.share.close(caller, made, token(caller)).await.unwrap();
    let write = async |caller: &Caller| world.write(caller, made, 0, b"bytes").await.unwrap();

    let writer = world.open(2, made, &shared()).await.unwrap();
    assert!(!breaks(&holder, write(&writer)).await);
    assert!(!breaks(&holder, write(&writer)).await);
    assert!(breaks(&holder, close(&writer)).await);

    let idle = world.open(2, made, &shared()).await.unwrap();
    assert!(!breaks(&holder, close(&idle)).await, "nothing was written");

    let spared = of_parent(&world.open(HOLDER, made, &shared()).await.unwrap(), 1);
    assert!(!breaks(&holder, write(&spared)).await);
    assert!(!breaks(&holder, close(&spared)).await);

    let lost = world.open(3, made, &shared()).await.unwrap();
    write(&lost).await;
    let release = async { world.services.release_client(lost.client).await.unwrap() };
    assert!(breaks(&holder, release).await, "its client is gone");

    let early = world.open(4, made, &shared()).await.unwrap();
    write(&early).await;
    world.share.close(&holder.caller, there, token(&holder.caller)).await.unwrap();
    let late = Holder::new(&world, HOLDER, there, 5).await;
    assert!(!breaks(&late, close(&early)).await, "it has listed what was written");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_overwritten_as_it_is_opened_is_listed_at_once() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let made = file(&world, there, "a").await;
    world.write(&nfs(1), made, 0, b"bytes").await.unwrap();
    let holder = Holder::new(&world, HOLDER, there, 1).await;
    let request = OpenNameRequest {
        directory: there,
        name: LookupName::Child(name("a")),
        stream: None,
        kind: NameKind::Any,
        make: None,
        replace: Some(SetAttributes::size(0)),
        replace_xattrs: Vec::new(),
        open: OpenRequest { truncate: true, ..shared() },
    };
    let overwrite = async |caller: &Caller| drop(world.share.open_name(caller, &request).await.unwrap());
    assert!(!breaks(&holder, overwrite(&of_parent(&nfs(HOLDER), 1))).await);
    assert!(breaks(&holder, overwrite(&nfs(2))).await);
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_its_last_open_spares_who_wanted_it_and_closed_it_last() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let (one, two) = (Holder::new(&world, 1, there, 1).await, Holder::new(&world, 1, there, 2).await);
    let opening = OpenRequest { rights: shared().rights | AccessMask::DELETE, ..shared() };
    // Who has the file removed, who closes it last, and whose leases go.
    for (wants, last, broken) in [(2, 2, [true, false]), (1, 2, [true, true]), (1, 1, [false, true])] {
        let made = file(&world, there, "a").await;
        for holder in [&one, &two] {
            assert!(holder.is_broken(holder.breaks().len() - 1).await);
        }
        let before = [one.breaks().len(), two.breaks().len()];
        let first = of_parent(&world.open(1, made, &opening).await.unwrap(), if last == 2 { 1 } else { 2 });
        let second = of_parent(&world.open(1, made, &opening).await.unwrap(), last);
        let wanting = if first.parent_lease == Some(wants) { &first } else { &second };
        let entry = Some((there, name("a")));
        world.share.set_deletion(wanting, made, token(wanting), entry).await.unwrap();
        world.share.close(&first, made, token(&first)).await.unwrap();
        assert_eq!([one.breaks().len(), two.breaks().len()], before, "it is still there");
        world.share.close(&second, made, token(&second)).await.unwrap();
        let found = [one.is_broken(before[0]).await, two.is_broken(before[1]).await];
        assert_eq!(found, broken, "{wants} wanted it, {last} was the last");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_no_handle_of_a_directory_has_nothing_to_acknowledge() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let caller = world.open(HOLDER, there, &listing(1, Rights::READ)).await.unwrap();
    file(&world, there, "a").await;
    let [told] = world.events.breaks()[..] else { panic!("{:?}", world.events.breaks()) };
    assert_eq!((told.from, told.to, told.deadline_ms), (Rights::READ, Rights::empty(), None));
    let again = world.share.request_lease(&caller, there, told.key, Rights::READ).await.unwrap();
    assert_eq!((again.rights, again.epoch, again.breaking), (Rights::READ, told.epoch + 1, false));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_holds_up_nobody_and_loses_its_lease() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let holder = Holder::new(&world, HOLDER, there, 1).await;
    let start = world.elapsed();
    for text in ["a", "b", "c"] {
        file(&world, there, text).await;
    }
    assert_eq!(world.elapsed(), start);
    assert_eq!(holder.breaks().len(), 1, "one break is sent once");
    tokio::time::sleep(Duration::from_secs(36)).await;
    file(&world, there, "d").await;
    assert!(world.events.all().contains(&Event::Revoked(there, holder.lease())));
    assert_eq!(holder.rights().await, Rights::empty());
}

#[tokio::test(start_paused = true)]
async fn a_directory_with_a_cached_handle_is_renamed_and_removed_when_that_is_closed() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let holder = Holder::new(&world, HOLDER, there, 1).await;
    let through = world.open(2, there, &OpenRequest { cache: None, ..listing(0, Rights::empty()) }).await.unwrap();
    let renaming = rename(&world, &through, (ROOT, "there"), (ROOT, "elsewhere"));
    let give_up = async {
        let request = world.events.wait_break().await;
        assert_eq!((request.from, request.to), (RH, Rights::READ), "what it lists stays");
        world.share.acknowledge(&holder.caller, there, request.key, Rights::READ).await.unwrap();
    };
    tokio::join!(renaming, give_up);
    assert_eq!(holder.breaks().len(), 1);
    assert_eq!(holder.rights().await, Rights::READ);
    assert!(world.elapsed() < Duration::from_secs(35));
}

#[tokio::test(start_paused = true)]
async fn a_file_with_several_names_changes_all_listings() {
    let world = World::new().await;
    let (one, two) = (directory(&world, "one").await, directory(&world, "two").await);
    let made = file(&world, one, "a").await;
    link(&world, &nfs(1), made, two, "b").await;
    let holders = [Holder::new(&world, 1, one, 1).await, Holder::new(&world, 1, two, 2).await];
    let write = async |holder: usize| {
        let other = holders[1 - holder].breaks().len();
        let told = breaks(&holders[holder], async { world.write(&nfs(2), made, 0, b"x").await.unwrap() }).await;
        (told, holders[1 - holder].is_broken(other).await)
    };
    assert_eq!(write(0).await, (true, true));
    // The newest name goes, and nobody knows the other one.
    assert!(breaks(&holders[1], remove(&world, &nfs(2), two, "b", RemoveKind::NotDirectory)).await);
    assert!(write(0).await.0, "the name that is left");
    rename(&world, &nfs(2), (one, "a"), (one, "c")).await;
    assert!(holders[0].is_broken(holders[0].breaks().len() - 1).await);
    assert_eq!(write(0).await, (true, false), "its name is known again");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_in_no_listing_until_its_file_has_its_time() {
    let world = World::new().await;
    let stream = crate::streams::written(&world, "a", "s", b"").await;
    let holder = Holder::new(&world, HOLDER, ROOT, 1).await;
    let opened = world.share.open_name(&nfs(1), &crate::streams::make("a", "s")).await.unwrap();
    let through = Caller { opener: Some(opened.opened.token), ..nfs(1) };
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!breaks(&holder, async { world.write(&through, stream, 0, b"bytes").await.unwrap() }).await);
    let close = async { world.share.close(&through, stream, token(&through)).await.unwrap() };
    assert!(breaks(&holder, close).await, "the file's last write is the stream's");
    let more = async { drop(world.share.open_name(&nfs(1), &crate::streams::make("a", "t")).await.unwrap()) };
    assert!(!breaks(&holder, more).await);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_a_directory_is_not_in_its_listing() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let opened = world.share.open_name(&nfs(1), &crate::streams::make("there", "s")).await.unwrap().opened;
    let (stream, through) = (opened.attributes.node, Caller { opener: Some(opened.token), ..nfs(1) });
    let (holder, above) = (Holder::new(&world, HOLDER, there, 1).await, Holder::new(&world, HOLDER, ROOT, 2).await);
    let size = SetAttributes { held: AccessMask::WRITE_DATA, ..SetAttributes::size(5) };
    let resize = async { world.share.set_attributes(&through, stream, &size, None).await.unwrap() };
    assert!(!breaks(&holder, resize).await);
    assert!(!breaks(&holder, world.write(&through, stream, 0, b"bytes")).await);
    assert_eq!(above.breaks(), []);
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.write(&through, stream, 0, b"later").await.unwrap();
    assert!(!breaks(&holder, async { world.share.close(&through, stream, token(&through)).await.unwrap() }).await);
    assert!(above.is_broken(0).await, "the directory itself has another time");
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_replaces_is_told_of_once() {
    let world = World::new().await;
    let there = directory(&world, "there").await;
    let (_, replaced) = (file(&world, there, "a").await, file(&world, there, "b").await);
    let holder = Holder::new(&world, HOLDER, there, 1).await;
    assert!(breaks(&holder, rename(&world, &nfs(1), (there, "a"), (there, "b"))).await);
    assert!(world.share.attributes(&nfs(1), replaced).await.is_err());
    let refused =
        RenameRequest { replace: Replace::Nothing, ..RenameRequest::new((there, name("b")), (there, name("b"))) };
    let again = async { drop(world.share.rename(&nfs(1), &refused, None).await) };
    assert!(!breaks(&holder, again).await, "nothing has changed");
}
