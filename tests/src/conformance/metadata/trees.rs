//! Which tree was the living one when something was written.

use std::sync::Arc;

use dittofs_domain::{
    NodeId, NodeKind, Tree,
    plan::{Change, NodeUpdate, Plan},
};
use dittofs_ports::{Counter, MetadataStore};

use super::{Fixture, fixture::time};

async fn since(fixture: &Fixture, id: NodeId) -> Tree {
    fixture.node(id).await.unwrap().since
}

pub async fn a_node_says_in_which_tree_it_was_last_written(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let old = fixture.add(NodeId::ROOT, "old", NodeKind::File).await;
    assert_eq!((since(&fixture, NodeId::ROOT).await, since(&fixture, old).await), (Tree::FIRST, Tree::FIRST));
    assert_eq!(fixture.share.allocate(Counter::Trees, 0).await.unwrap(), 1..1);

    // As a snapshot does.
    assert_eq!(fixture.share.allocate(Counter::Trees, 1).await.unwrap(), 1..2);
    let new = fixture.add(NodeId::ROOT, "new", NodeKind::File).await;
    assert_eq!(since(&fixture, new).await, Tree(2));
    assert_eq!(since(&fixture, old).await, Tree::FIRST, "nobody has written it");

    assert_eq!(fixture.share.allocate(Counter::Trees, 2).await.unwrap(), 2..4);
    fixture.change(Change::UpdateNode(old, NodeUpdate::default())).await;
    assert_eq!((since(&fixture, old).await, since(&fixture, new).await), (Tree(4), Tree(2)));
}

pub async fn what_a_plan_says_of_a_new_nodes_tree_does_not_count(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let (plan, id) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    let mut changes = plan.changes;
    for change in &mut changes {
        if let Change::InsertNode(node) = change {
            node.since = Tree(77);
        }
    }
    fixture.apply(Plan { changes, ..Plan::at(time(2_000)) }).await;
    assert_eq!(since(&fixture, id).await, Tree::FIRST);
}
