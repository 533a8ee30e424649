//! Extended attributes: they are put, replaced and removed, and go with their node.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    ChangeId, NodeId, NodeKind,
    node::NodeFlags,
    plan::{Change, Expectation, NodeUpdate, Plan, Query},
    xattr::{SetHow, XATTR_BYTES_MAX, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::{ApplyError, MetadataStore};

use super::{
    Fixture,
    expectation::assert_holds,
    fixture::{child, time},
};

/// Attributes of this version: one that is as long as it can be, or a short one.
pub(super) fn xattrs(version: u64, is_longest: bool) -> Arc<Xattrs> {
    let value = vec![version as u8; if is_longest { XATTR_BYTES_MAX as usize - 6 } else { 3 }];
    let name = XattrName::new(Bytes::from_static(b"n")).unwrap();
    let set = XattrChange::Set { name, value: value.into(), how: SetHow::Either };
    Arc::new(Xattrs::changed(None, &[set], ChangeId(version)).unwrap().unwrap())
}

/// The changes that give a node its attributes.
fn put(node: NodeId, xattrs: &Arc<Xattrs>) -> [Change; 2] {
    let flags = NodeFlags::XATTRS;
    let update = NodeUpdate { xattr_bytes: Some(xattrs.bytes()), set_flags: flags, ..NodeUpdate::changed() };
    [Change::PutXattrs { node, xattrs: Some(Arc::clone(xattrs)) }, Change::UpdateNode(node, update)]
}

async fn give(fixture: &Fixture, node: NodeId, xattrs: &Arc<Xattrs>) {
    let mut plan = Plan::at(time(2_000));
    plan.changes.extend(put(node, xattrs));
    fixture.apply(plan).await;
}

async fn seen(fixture: &Fixture, node: NodeId) -> Option<Arc<Xattrs>> {
    fixture.view(Query::xattrs(node)).await.xattrs
}

pub async fn extended_attributes_are_put_replaced_and_removed(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let other = fixture.add(NodeId::ROOT, "g", NodeKind::File).await;
    assert_eq!(seen(&fixture, file).await, None);
    give(&fixture, other, &xattrs(9, false)).await;
    for (version, is_longest) in [(1, false), (2, true), (3, false), (u64::MAX >> 1, true)] {
        let expected = xattrs(version, is_longest);
        give(&fixture, file, &expected).await;
        let view = fixture.view(Query::xattrs(file)).await;
        assert_eq!(view.xattrs.as_ref(), Some(&expected));
        assert_eq!(view.node(file).unwrap().xattr_bytes, expected.bytes());
        assert_eq!(fixture.view(Query::node(file)).await.xattrs, None, "nobody asked");
        assert_eq!(
            fixture.share.xattr_bytes(NodeId(0), 10).await.unwrap(),
            [(file, Some(expected.bytes())), (other, Some(9))]
        );
    }
    for _ in 0..2 {
        fixture.change(Change::PutXattrs { node: file, xattrs: None }).await;
        assert_eq!(seen(&fixture, file).await, None);
    }
    assert_eq!(seen(&fixture, other).await, Some(xattrs(9, false)));
}

pub async fn extended_attributes_are_all_or_nothing_with_their_plan(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    give(&fixture, file, &xattrs(1, false)).await;
    for after in [Some(xattrs(2, true)), None] {
        let mut plan = Plan::at(time(3_000));
        plan.change(Change::PutXattrs { node: file, xattrs: after });
        plan.change(Change::DeleteEntry(child(NodeId::ROOT, "missing")));
        assert!(matches!(fixture.try_apply(plan).await, Err(ApplyError::Malformed)));
        assert_eq!(seen(&fixture, file).await, Some(xattrs(1, false)));
    }
    let mut plan = Plan::at(time(3_000));
    plan.change(Change::PutXattrs { node: NodeId(i64::MAX as u64 - 1), xattrs: Some(xattrs(2, false)) });
    assert!(matches!(fixture.try_apply(plan).await, Err(ApplyError::Malformed)), "of a node that is not there");
    let mut plan = Plan::at(time(3_000));
    plan.require(Expectation::XattrsAre { node: file, version: None });
    plan.changes.extend(put(file, &xattrs(2, false)));
    assert!(matches!(fixture.try_apply(plan).await, Err(ApplyError::Conflict)));
    assert_eq!(seen(&fixture, file).await, Some(xattrs(1, false)));
}

pub async fn extended_attributes_stand_until_others_are_put(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let are = |version: Option<u64>| Expectation::XattrsAre { node: file, version: version.map(ChangeId) };
    let nowhere = Expectation::XattrsAre { node: NodeId(i64::MAX as u64 - 1), version: None };
    assert_holds(&fixture, &[are(None)], &[are(Some(0)), are(Some(1)), nowhere]).await;
    give(&fixture, file, &xattrs(5, true)).await;
    fixture.change(Change::UpdateNode(file, NodeUpdate { uid: Some(3), ..NodeUpdate::changed() })).await;
    assert_holds(&fixture, &[are(Some(5))], &[are(None), are(Some(4))]).await;
    give(&fixture, file, &xattrs(6, false)).await;
    assert_holds(&fixture, &[are(Some(6))], &[are(Some(5))]).await;
    fixture.change(Change::PutXattrs { node: file, xattrs: None }).await;
    assert_holds(&fixture, &[are(None)], &[are(Some(6))]).await;
}

pub async fn extended_attributes_come_and_go_with_their_node(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let (mut plan, file) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    plan.changes.extend(put(file, &xattrs(1, true)));
    fixture.apply(plan).await;
    assert_eq!(seen(&fixture, file).await, Some(xattrs(1, true)));
    // A removal that is undone leaves them.
    let removal = || {
        let mut plan = Plan::at(time(3_000));
        plan.change(Change::DeleteEntry(child(NodeId::ROOT, "f"))).change(Change::DeleteNode(file));
        plan
    };
    let mut undone = removal();
    undone.change(Change::DeleteEntry(child(NodeId::ROOT, "missing")));
    assert!(matches!(fixture.try_apply(undone).await, Err(ApplyError::Malformed)));
    assert_eq!(seen(&fixture, file).await, Some(xattrs(1, true)));
    fixture.apply(removal()).await;
    assert_eq!(seen(&fixture, file).await, None);
    assert_eq!(fixture.share.xattr_bytes(NodeId(0), 10).await.unwrap(), []);
}

pub async fn nodes_with_extended_attributes_are_listed_in_pages(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut expected = Vec::new();
    for number in 0..12_u64 {
        let file = fixture.add(NodeId::ROOT, &format!("f{number}"), NodeKind::File).await;
        if number % 3 != 1 {
            let xattrs = xattrs(number + 1, number % 2 == 0);
            give(&fixture, file, &xattrs).await;
            expected.push((file, Some(xattrs.bytes())));
        }
    }
    for page in [1, 3, 8, 100] {
        let (mut found, mut after) = (Vec::new(), NodeId(0));
        loop {
            let some = fixture.share.xattr_bytes(after, page).await.unwrap();
            assert!(some.len() <= page);
            let Some((last, _)) = some.last() else { break };
            after = *last;
            found.extend(some);
        }
        assert_eq!(found, expected, "in pages of {page}");
    }
    assert!(fixture.share.xattr_bytes(NodeId(u64::MAX), 10).await.unwrap().is_empty());
}
