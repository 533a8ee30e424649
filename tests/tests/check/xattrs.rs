//! Extended attributes, against what their nodes say of them.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    NodeId,
    namespace::{NewKind, RemoveKind, RemoveRequest, SetXattrs},
    node::NodeFlags,
    plan::{Change, NodeUpdate, Query, Statistics},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::MetadataService;

use crate::share::{QUIET, Share, assert_clean, name, on_each_store};

fn change() -> XattrChange {
    let name = XattrName::new(Bytes::from_static(b"name")).unwrap();
    XattrChange::Set { name, value: Bytes::from_static(b"value"), how: SetHow::Either }
}

/// What [`change`] counts for.
const BYTES: u32 = 5 + 4 + 5;

fn put(node: NodeId) -> Change {
    Change::PutXattrs { node, xattrs: Xattrs::initial(&[change()]).unwrap().map(Arc::new) }
}

fn says(bytes: u32, flags: NodeFlags) -> NodeUpdate {
    NodeUpdate { xattr_bytes: Some(bytes), set_flags: flags, ..NodeUpdate::default() }
}

fn count(bytes: u32) -> Change {
    Change::Count(Statistics { bytes: bytes.into(), nodes: 0 })
}

#[test]
fn a_node_that_says_what_is_there_is_right() {
    on_each_store(async |share: Share| {
        let small = share.node("/small").await.id;
        share.apply([put(small), Change::UpdateNode(small, says(BYTES, NodeFlags::XATTRS)), count(BYTES)]).await;
        assert_clean(&share.check(QUIET).await);
        assert_clean(&share.check_offline(QUIET).await);
    });
}

#[test]
fn a_node_says_what_its_attributes_count_for_after_a_repair() {
    on_each_store(async |share: Share| {
        let (small, docs) = (share.node("/small").await.id, share.node("/docs").await.id);
        // None are there; they are there and not said to be; another number is said.
        share.apply([Change::UpdateNode(small, says(9, NodeFlags::XATTRS)), count(9)]).await;
        share.finds(&[("xattr-bytes", "/docs/again")]).await;
        share.repairs().await;
        assert_eq!((share.node("/small").await.xattr_bytes, share.node("/small").await.flags), (0, NodeFlags::empty()));
        share.apply([put(docs)]).await;
        share.finds(&[("xattr-bytes", "/docs")]).await;
        share.repairs().await;
        share.apply([Change::UpdateNode(docs, says(BYTES + 1, NodeFlags::XATTRS)), count(1)]).await;
        share.finds(&[("xattr-bytes", "/docs")]).await;
        share.repairs().await;
        let node = share.node("/docs").await;
        assert_eq!((node.xattr_bytes, node.flags), (BYTES, NodeFlags::XATTRS));
        assert!(share.world.metadata.view(&Query::xattrs(docs)).await.unwrap().xattrs.is_some(), "none was lost");
    });
}

#[tokio::test]
async fn attributes_of_no_node_are_found_and_removed() {
    let share = Share::closed(true).await;
    let (key, found) = share.entry("/empty").await;
    // The store looks for attributes only of a node that says that it has some.
    let gone = [Change::DeleteEntry(key), Change::DeleteNode(found.node.id), {
        let bytes = -(dittofs_domain::quota::metadata_bytes(&found.node) as i64);
        Change::Count(Statistics { bytes, nodes: -1 })
    }];
    share.apply([put(found.node.id)].into_iter().chain(gone)).await;
    share.finds(&[("xattrs-left", &format!("#{}", found.node.id))]).await;
    share.repairs().await;
    assert_eq!(share.world.metadata.xattr_bytes(NodeId(0), 10).await.unwrap(), []);
}

async fn the_reaper_has_been_there(share: &Share) {
    for _ in 0..1_000 {
        if share.world.metadata.xattr_bytes(NodeId(0), 10).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("attributes are left");
}

#[test]
fn attributes_go_with_a_file_that_is_removed_and_so_does_what_they_counted_for() {
    on_each_store(async |share: Share| {
        let before = share.world.metadata.statistics().await.unwrap();
        let share = share.reopened(Arc::new(dittofs_frame_sealer::Sealer::none())).await;
        for kind in [NewKind::File, NewKind::Directory] {
            let node = share.make_in(NodeId::ROOT, "new", kind.clone()).await;
            let request = SetXattrs { changes: vec![change()], ..SetXattrs::default() };
            share.world.share.set_xattrs(&share.caller, node, &request, None).await.unwrap();
            assert_eq!(share.world.metadata.xattr_bytes(NodeId(0), 10).await.unwrap(), [(node, Some(BYTES))]);
            assert_clean(&share.check(QUIET).await);
            let kind = if kind == NewKind::File { RemoveKind::NotDirectory } else { RemoveKind::Directory };
            let request = RemoveRequest { directory: NodeId::ROOT, name: name("new"), kind };
            share.world.share.remove(&share.caller, &request, None).await.unwrap();
            the_reaper_has_been_there(&share).await;
        }
        share.world.close().await;
        assert_clean(&share.check_offline(QUIET).await);
        assert_eq!(share.world.metadata.statistics().await.unwrap(), before);
    });
}
