//! Opening by name, and what goes with its last open.

use dittofs_domain::{
    ClientId, FsError, Name, NodeId,
    access::AccessMask,
    namespace::{
        CreateHow, CreateRequest, DosAttributes, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest,
        RenameRequest, SetAttributes,
    },
    opens::ShareAccess,
};
use dittofs_ports::{
    Caller, EntryService, LookupName, MetadataService, NameKind, NewNode, OpenFailure, OpenNameRequest, OpenRequest,
    OpenService, OpenedName,
};

use crate::world::{World, nfs, shared, token, user};

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

fn request(text: &str, how: Option<CreateHow>) -> OpenNameRequest {
    let make = how.map(|how| NewNode {
        kind: NewKind::File,
        attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
        dos: DosAttributes { attributes: 0x20, ..DosAttributes::default() },
        how,
    });
    OpenNameRequest {
        directory: NodeId::ROOT,
        name: LookupName::Child(name(text)),
        stream: None,
        kind: NameKind::Any,
        make,
        replace: None,
        replace_xattrs: Vec::new(),
        open: shared(),
    }
}

fn through(client: u64, opened: &OpenedName) -> Caller {
    Caller { opener: Some(opened.opened.token), ..nfs(client) }
}

/// An open that may remove, and lets others do so.
fn removing() -> OpenRequest {
    OpenRequest { rights: AccessMask::READ_DATA | AccessMask::DELETE, ..shared() }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_open_before_anybody_else_can_open_it() {
    let world = World::new().await;
    let exclusive = OpenNameRequest {
        open: OpenRequest { deny: ShareAccess::all(), ..shared() },
        ..request("a", Some(CreateHow::Unchecked))
    };
    let caller = nfs(1);
    let (one, other) = tokio::join!(world.share.open_name(&caller, &exclusive), async {
        // The name may be there already, or not yet.
        loop {
            match world.share.open_name(&nfs(2), &request("a", None)).await {
                Err(OpenFailure::Failed(FsError::NotFound)) => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
    });
    let one = one.unwrap();
    assert!(one.is_new);
    assert_eq!(one.opened.attributes.dos_attributes, 0x20);
    assert_eq!(other.unwrap_err(), OpenFailure::Failed(FsError::ShareDenied));
}

#[tokio::test(start_paused = true)]
async fn of_several_who_make_a_name_at_once_one_does() {
    let world = World::new().await;
    for (how, text) in [(CreateHow::Guarded, "guarded"), (CreateHow::Unchecked, "any")] {
        let request = request(text, Some(how));
        let callers: Vec<Caller> = (1..=8).map(nfs).collect();
        let opened =
            futures_util::future::join_all(callers.iter().map(|caller| world.share.open_name(caller, &request))).await;
        let made = opened.iter().flatten().filter(|opened| opened.is_new).count();
        assert_eq!(made, 1);
        let found = opened.iter().flatten().count() - made;
        assert_eq!(found, if how == CreateHow::Guarded { 0 } else { 7 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_create_that_is_sent_again_opens_what_it_made() {
    let world = World::new().await;
    let first = world.share.open_name(&nfs(1), &request("a", Some(CreateHow::Exclusive([1; 8])))).await.unwrap();
    let again = world.share.open_name(&nfs(1), &request("a", Some(CreateHow::Exclusive([1; 8])))).await.unwrap();
    assert_eq!(first.opened.attributes.node, again.opened.attributes.node);
    let other = world.share.open_name(&nfs(2), &request("a", Some(CreateHow::Exclusive([2; 8])))).await;
    assert_eq!(other.unwrap_err(), OpenFailure::Failed(FsError::Exists));
}

#[tokio::test(start_paused = true)]
async fn a_refused_open_changes_nothing_and_keeps_nothing() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let held = world.open(1, file, &OpenRequest { deny: ShareAccess::WRITE, ..shared() }).await.unwrap();
    let overwrite = OpenNameRequest {
        open: OpenRequest { truncate: true, ..shared() },
        replace: Some(SetAttributes::size(0)),
        ..request("a", Some(CreateHow::Unchecked))
    };
    let refused = world.share.open_name(&nfs(2), &overwrite).await;
    assert_eq!(refused.unwrap_err(), OpenFailure::Failed(FsError::ShareDenied));
    let kinds = [(NameKind::Directory, FsError::NotDirectory)];
    for (kind, error) in kinds {
        let wrong = OpenNameRequest { kind, ..overwrite.clone() };
        assert_eq!(world.share.open_name(&nfs(2), &wrong).await.unwrap_err(), OpenFailure::Failed(error));
    }
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"text");

    world.share.close(&held, file, token(&held)).await.unwrap();
    let opened = world.share.open_name(&nfs(2), &overwrite).await.unwrap();
    assert_eq!((opened.is_new, opened.opened.attributes.size), (false, 0));
    world.share.close(&through(2, &opened), file, opened.opened.token).await.unwrap();
    let missing = world.share.open_name(&nfs(2), &request("b", None)).await;
    assert_eq!(missing.unwrap_err(), OpenFailure::Failed(FsError::NotFound));
    let directory = OpenNameRequest { directory: file, ..request("b", Some(CreateHow::Unchecked)) };
    let refused = world.share.open_name(&nfs(2), &directory).await;
    assert_eq!(refused.unwrap_err(), OpenFailure::Failed(FsError::NotDirectory));
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_to_be_removed_goes_with_its_last_open_by_whatever_name_it_has() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let first = world.open(1, file, &removing()).await.unwrap();
    let second = world.open(2, file, &removing()).await.unwrap();
    world.share.set_deletion(&first, file, token(&first), Some((NodeId::ROOT, name("a")))).await.unwrap();
    assert!(world.share.is_deleting(file).await.unwrap());
    let third = world.share.open_name(&nfs(3), &request("a", None)).await;
    assert_eq!(third.unwrap_err(), OpenFailure::Deleting);

    let rename = RenameRequest::new((NodeId::ROOT, name("a")), (NodeId::ROOT, name("b")));
    world.share.rename(&second, &rename, None).await.unwrap();
    world.share.close(&first, file, token(&first)).await.unwrap();
    assert_eq!(world.read(&second, file).await.unwrap(), b"text");
    world.file("a", b"another").await;
    world.share.close(&second, file, token(&second)).await.unwrap();
    let lookup = async |text| world.share.lookup(&nfs(1), NodeId::ROOT, &LookupName::Child(name(text))).await;
    assert_eq!(lookup("b").await.unwrap_err(), FsError::NotFound);
    lookup("a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_removal_can_be_taken_back_and_goes_on_without_its_client() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let entry = Some((NodeId::ROOT, name("a")));
    let first = world.open(1, file, &removing()).await.unwrap();
    world.share.set_deletion(&first, file, token(&first), entry.clone()).await.unwrap();
    world.share.set_deletion(&first, file, token(&first), None).await.unwrap();
    world.share.close(&first, file, token(&first)).await.unwrap();
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"text");

    let second = world.open(2, file, &removing()).await.unwrap();
    world.share.set_deletion(&second, file, token(&second), entry).await.unwrap();
    world.services.release_client(ClientId::Nfs4(2)).await.unwrap();
    assert_eq!(world.read(&nfs(1), file).await, Err(FsError::Stale));
    assert!(world.opens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_directory_with_entries_is_not_removed() {
    let world = World::new().await;
    let directory = CreateRequest {
        directory: NodeId::ROOT,
        name: name("d"),
        kind: NewKind::Directory,
        attributes: InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() },
        how: CreateHow::Guarded,
    };
    let node = world.share.create(&nfs(1), &directory, None).await.unwrap().node.node;
    let open = world.open(1, node, &removing()).await.unwrap();
    let entry = Some((NodeId::ROOT, name("d")));
    let file = OpenNameRequest { directory: node, open: removing(), ..request("a", Some(CreateHow::Guarded)) };
    let inside = world.share.open_name(&nfs(1), &file).await.unwrap();
    let refused = world.share.set_deletion(&open, node, token(&open), entry.clone()).await;
    assert_eq!(refused, Err(FsError::NotEmpty));

    let inner = inside.opened.attributes.node;
    let removal = Some((node, name("a")));
    world.share.set_deletion(&through(1, &inside), inner, inside.opened.token, removal).await.unwrap();
    world.share.close(&through(1, &inside), inner, inside.opened.token).await.unwrap();
    world.share.set_deletion(&open, node, token(&open), entry).await.unwrap();
    world.share.close(&open, node, token(&open)).await.unwrap();
    assert_eq!(world.share.attributes(&nfs(1), node).await, Err(FsError::Stale));
}

/// One name of a file is in the caller's directory, the other in somebody else's.
#[tokio::test(start_paused = true)]
async fn a_name_is_removed_by_the_right_to_the_directory_that_it_is_in() {
    let world = World::new().await;
    let directory = async |text, owner: &Caller| {
        let attributes = InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() };
        let (directory, name, kind) = (NodeId::ROOT, name(text), NewKind::Directory);
        let request = CreateRequest { directory, name, kind, attributes, how: CreateHow::Guarded };
        world.share.create(owner, &request, None).await.unwrap().node.node
    };
    let (root, caller) = (user(1, 0), user(2, 1_000));
    let (others, own) = (directory("others", &root).await, directory("own", &caller).await);
    let at = |directory| OpenNameRequest { directory, open: removing(), ..request("a", None) };
    let made = OpenNameRequest { make: request("a", Some(CreateHow::Guarded)).make, ..at(others) };
    let made = world.share.open_name(&root, &made).await.unwrap();
    let file = made.opened.attributes.node;
    world
        .share
        .close(&Caller { opener: Some(made.opened.token), ..root.clone() }, file, made.opened.token)
        .await
        .unwrap();
    let link = LinkRequest { node: file, directory: own, name: name("a") };
    world.share.link(&caller, &link, None).await.unwrap();

    let refused = world.share.open_name(&caller, &at(others)).await;
    assert_eq!(refused.unwrap_err(), OpenFailure::Failed(FsError::Access));
    let opened = world.share.open_name(&caller, &at(own)).await.unwrap();
    let through = Caller { opener: Some(opened.opened.token), ..caller.clone() };
    let token = opened.opened.token;
    world.share.set_deletion(&through, file, token, Some((own, name("a")))).await.unwrap();
    // The name that was opened goes before it is closed. The right to it was none to the other one.
    let remove = RemoveRequest { directory: own, name: name("a"), kind: RemoveKind::NotDirectory };
    world.share.remove(&caller, &remove, None).await.unwrap();
    world.share.close(&through, file, token).await.unwrap();
    let lookup = world.share.lookup(&root, others, &LookupName::Child(name("a"))).await;
    assert_eq!(lookup.unwrap().node.node, file);
}

#[tokio::test(start_paused = true)]
async fn only_an_open_that_may_delete_has_a_file_removed() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let reader = world.open(1, file, &shared()).await.unwrap();
    let entry = Some((NodeId::ROOT, name("a")));
    let refused = world.share.set_deletion(&reader, file, token(&reader), entry).await;
    assert_eq!(refused, Err(FsError::Access));
    world.share.close(&reader, file, token(&reader)).await.unwrap();
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"text");
}
