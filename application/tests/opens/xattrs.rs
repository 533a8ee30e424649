//! Extended attributes through the service.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    FsError, Name, NodeId,
    access::AccessMask,
    error::FsResult,
    namespace::{CreateHow, DosAttributes, InitialAttributes, NewKind, SetAttributes, SetXattrs},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::{
    Caller, LookupName, MetadataService, NameKind, NewNode, OpenNameRequest, OpenRequest, OpenService,
};

use crate::world::{World, nfs, shared, token, user};

fn name(text: &str) -> XattrName {
    XattrName::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn set(text: &str, value: &str, how: SetHow) -> XattrChange {
    XattrChange::Set { name: name(text), value: Bytes::copy_from_slice(value.as_bytes()), how }
}

fn request(changes: Vec<XattrChange>) -> SetXattrs {
    SetXattrs { changes, ..SetXattrs::default() }
}

async fn change(world: &World, caller: &Caller, node: NodeId, change: XattrChange) -> FsResult<()> {
    world.share.set_xattrs(caller, node, &request(vec![change]), None).await.map(drop)
}

async fn value(world: &World, node: NodeId, text: &str) -> Option<Bytes> {
    let xattrs = world.share.xattrs(&nfs(1), node, AccessMask::empty()).await.unwrap()?;
    xattrs.get(&name(text)).map(|xattr| xattr.value.clone())
}

#[tokio::test(start_paused = true)]
async fn attributes_are_set_got_and_removed() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    assert_eq!(world.share.xattrs(&nfs(1), file, AccessMask::empty()).await, Ok(None));
    change(&world, &nfs(1), file, set("n", "1", SetHow::Create)).await.unwrap();
    assert_eq!(change(&world, &nfs(1), file, set("N", "2", SetHow::Create)).await, Err(FsError::Exists));
    change(&world, &nfs(1), file, set("N", "2", SetHow::Replace)).await.unwrap();
    assert_eq!(value(&world, file, "n").await.as_deref(), Some(b"2".as_slice()));
    let replaced = change(&world, &nfs(1), file, set("m", "2", SetHow::Replace)).await;
    assert_eq!(replaced, Err(FsError::NoAttribute));
    // All or nothing.
    let changes = vec![set("m", "3", SetHow::Either), XattrChange::Remove(name("missing"))];
    let refused = world.share.set_xattrs(&nfs(1), file, &request(changes), None).await;
    assert_eq!(refused.map(drop), Err(FsError::NoAttribute));
    assert_eq!(value(&world, file, "m").await, None);
    let before = world.share.attributes(&nfs(1), file).await.unwrap();
    assert_eq!(before.xattr_bytes, 5 + 1 + 1);
    let changed = world.share.set_xattrs(&nfs(1), file, &request(vec![XattrChange::Remove(name("n"))]), None).await;
    let changed = changed.unwrap();
    assert_eq!(changed.before.map(|before| before.change), Some(before.change));
    assert!(changed.after.change > before.change && changed.after.ctime > before.ctime);
    assert_eq!((changed.after.mtime, changed.after.xattr_bytes), (before.mtime, 0));
    assert_eq!(world.share.xattrs(&nfs(1), file, AccessMask::empty()).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_read_or_write_is_refused_unless_an_open_lets_it() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    change(&world, &nfs(1), file, set("n", "1", SetHow::Either)).await.unwrap();
    let private = SetAttributes { mode: Some(0o600), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), file, &private, None).await.unwrap();
    let other = user(2, 4_242);
    assert_eq!(world.share.xattrs(&other, file, AccessMask::empty()).await, Err(FsError::Access));
    assert_eq!(change(&world, &other, file, set("n", "2", SetHow::Either)).await, Err(FsError::Access));
    assert!(world.share.xattrs(&other, file, AccessMask::READ_NAMED_ATTRS).await.unwrap().is_some());
    let held = SetXattrs { held: AccessMask::WRITE_NAMED_ATTRS, ..request(vec![set("n", "3", SetHow::Either)]) };
    world.share.set_xattrs(&other, file, &held, None).await.unwrap();
    assert_eq!(value(&world, file, "n").await.as_deref(), Some(b"3".as_slice()));
    assert_eq!(world.share.xattrs(&nfs(1), NodeId(1 << 40), AccessMask::empty()).await, Err(FsError::Stale));
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_none_is_lost() {
    let world = Arc::new(World::new().await);
    let file = world.file("a", b"text").await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let world = Arc::clone(&world);
        tasks.spawn(async move {
            change(&world, &nfs(number), file, set(&format!("n{number}"), "v", SetHow::Create)).await.unwrap();
        });
    }
    tasks.join_all().await;
    let all = world.share.xattrs(&nfs(1), file, AccessMask::empty()).await.unwrap().unwrap();
    assert_eq!(all.all().len(), 16);
}

#[tokio::test(start_paused = true)]
async fn an_open_file_without_a_name_keeps_them() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    change(&world, &nfs(1), file, set("n", "1", SetHow::Either)).await.unwrap();
    let held = world.open(1, file, &shared()).await.unwrap();
    world.remove(&nfs(2), "a").await.unwrap();
    change(&world, &held, file, set("m", "2", SetHow::Either)).await.unwrap();
    let all = world.share.xattrs(&held, file, AccessMask::empty()).await.unwrap().unwrap();
    assert_eq!(all.all().len(), 2);
    world.share.close(&held, file, token(&held)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_made_or_overwritten_gets_those_that_it_is_given() {
    let world = World::new().await;
    let changes = vec![set("n", "1", SetHow::Either), set("m", "1", SetHow::Either)];
    let xattrs = Xattrs::initial(&changes).unwrap().map(Arc::new);
    let asked = OpenNameRequest {
        directory: NodeId::ROOT,
        name: LookupName::Child(Name::new(b"new").unwrap()),
        kind: NameKind::Any,
        stream: None,
        make: Some(NewNode {
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            dos: DosAttributes { xattrs, ..DosAttributes::default() },
            how: CreateHow::Unchecked,
        }),
        replace: None,
        replace_xattrs: Vec::new(),
        open: shared(),
    };
    let made = world.share.open_name(&nfs(1), &asked).await.unwrap();
    let file = made.opened.attributes.node;
    assert_eq!((made.is_new, made.opened.attributes.xattr_bytes), (true, 2 * 7));
    assert_eq!(value(&world, file, "m").await.as_deref(), Some(b"1".as_slice()));
    let over = |changes| OpenNameRequest {
        replace: Some(SetAttributes::size(0)),
        replace_xattrs: changes,
        open: OpenRequest { truncate: true, ..shared() },
        ..asked.clone()
    };
    let again = vec![set("N", "22", SetHow::Either), XattrChange::RemoveAny(name("m"))];
    let opened = world.share.open_name(&nfs(1), &over(again)).await.unwrap();
    assert_eq!((opened.is_new, opened.opened.attributes.xattr_bytes), (false, 8));
    // What refuses them leaves the content.
    world.write(&nfs(1), file, 0, b"kept").await.unwrap();
    let too_much = vec![set("n", &"x".repeat(1 << 16), SetHow::Either)];
    assert!(world.share.open_name(&nfs(1), &over(too_much)).await.is_err());
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"kept");
}
