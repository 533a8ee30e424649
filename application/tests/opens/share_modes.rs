use dittofs_domain::{FsError, NodeId, access::AccessMask, namespace::SetAttributes, opens::ShareAccess};
use dittofs_ports::{Caller, MetadataService, OpenRequest, OpenService, ShareChange};

use crate::world::{World, nfs, shared, token, user};

fn denying(rights: AccessMask, deny: ShareAccess) -> OpenRequest {
    OpenRequest { rights, deny, ..shared() }
}

#[tokio::test(start_paused = true)]
async fn what_an_open_denies_nobody_does() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let reader = denying(AccessMask::READ_DATA, ShareAccess::WRITE | ShareAccess::DELETE);
    let reader = world.open(2, file, &reader).await.unwrap();

    assert_eq!(world.open(3, file, &shared()).await.unwrap_err(), FsError::ShareDenied);
    assert_eq!(world.write(&nfs(1), file, 0, b"x").await, Err(FsError::ShareDenied));
    let truncate = SetAttributes::size(0);
    assert_eq!(world.share.set_attributes(&nfs(1), file, &truncate, None).await, Err(FsError::ShareDenied));
    assert_eq!(world.remove(&nfs(1), "a").await, Err(FsError::ShareDenied));
    assert_eq!(world.read(&nfs(1), file).await.unwrap(), b"text");
    world.open(3, file, &denying(AccessMask::READ_DATA, ShareAccess::empty())).await.unwrap();

    world.share.close(&reader, file, token(&reader)).await.unwrap();
    world.write(&nfs(1), file, 0, b"x").await.unwrap();
    world.remove(&nfs(1), "a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_downgrade_lets_others_in_and_an_upgrade_may_not_shut_them_out() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let both = ShareAccess::READ | ShareAccess::WRITE;
    let first = world.open(2, file, &denying(AccessMask::READ_DATA, both)).await.unwrap();
    assert_eq!(world.open(3, file, &shared()).await.unwrap_err(), FsError::ShareDenied);
    let change = |deny| ShareChange { rights: AccessMask::READ_DATA, deny, waits: true };
    world.share.change_share(&first, file, token(&first), &change(ShareAccess::empty())).await.unwrap();
    world.open(3, file, &shared()).await.unwrap();
    let upgraded = world.share.change_share(&first, file, token(&first), &change(both)).await;
    assert_eq!(upgraded, Err(FsError::ShareDenied));
}

#[tokio::test(start_paused = true)]
async fn rights_are_demanded_when_a_node_is_opened_and_hold_until_it_is_closed() {
    let world = World::new().await;
    let file = world.file("a", b"text").await;
    let other_user = user(2, 2_000);
    assert_eq!(world.share.open(&other_user, file, &shared()).await.unwrap_err(), FsError::Access);
    let read = denying(AccessMask::READ_DATA, ShareAccess::empty());
    let opened = world.share.open(&other_user, file, &read).await.unwrap();
    let reader = Caller { opener: Some(opened.token), ..other_user.clone() };
    let upgrade = ShareChange { rights: shared().rights, deny: ShareAccess::empty(), waits: true };
    assert_eq!(world.share.change_share(&reader, file, opened.token, &upgrade).await, Err(FsError::Access));

    let private = SetAttributes { mode: Some(0o600), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), file, &private, None).await.unwrap();
    assert_eq!(world.read(&reader, file).await.unwrap(), b"text");
    assert_eq!(world.write(&reader, file, 0, b"x").await, Err(FsError::Access));
    assert_eq!(world.read(&other_user, file).await, Err(FsError::Access));
    assert_eq!(world.share.open(&other_user, file, &read).await.unwrap_err(), FsError::Access);
}

#[tokio::test(start_paused = true)]
async fn the_directory_grants_the_right_to_remove_what_is_in_it() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let delete = denying(AccessMask::DELETE, ShareAccess::empty());
    world.share.open(&user(2, 2_000), file, &delete).await.unwrap();
    let sticky = SetAttributes { mode: Some(0o1777), ..SetAttributes::default() };
    world.share.set_attributes(&user(9, 0), NodeId::ROOT, &sticky, None).await.unwrap();
    assert_eq!(world.share.open(&user(2, 2_000), file, &delete).await.unwrap_err(), FsError::Access);
}

#[tokio::test(start_paused = true)]
async fn who_made_a_file_opens_it_whatever_its_mode() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let none = SetAttributes { mode: Some(0), ..SetAttributes::default() };
    world.share.set_attributes(&nfs(1), file, &none, None).await.unwrap();
    assert_eq!(world.open(1, file, &shared()).await.unwrap_err(), FsError::Access);
    let created = OpenRequest { created: true, ..shared() };
    assert_eq!(world.share.open(&user(2, 2_000), file, &created).await.unwrap_err(), FsError::Access);
    let writer = world.open(1, file, &created).await.unwrap();
    world.write(&writer, file, 0, b"x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_counts_for_its_own_client_only() {
    let world = World::new().await;
    let file = world.file("a", b"").await;
    let reader = denying(AccessMask::READ_DATA, ShareAccess::WRITE);
    let reader = world.open(2, file, &reader).await.unwrap();
    let thief = Caller { opener: reader.opener, ..nfs(3) };
    assert_eq!(world.share.close(&thief, file, token(&reader)).await, Err(FsError::Stale));
    world.share.close(&reader, file, token(&reader)).await.unwrap();
    assert_eq!(world.share.close(&reader, file, token(&reader)).await, Err(FsError::Stale));
    assert!(world.opens.is_idle());
}
