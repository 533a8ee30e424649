//! Scans of all nodes and all references, page by page.

use dittofs_domain::{
    NodeId, ObjectId,
    content::{ReplayExclusion, ReplayExclusions},
    plan::{Change, NodeUpdate, Plan, Query, Reference},
};
use dittofs_redb::{RedbMetadataStore, RedbOptions};

use crate::fixture::{creation, fill, open_share};

#[tokio::test]
async fn nodes_come_once_in_the_order_of_their_ids_in_pages_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    fill(&*share).await;
    let whole = share.nodes(NodeId(0), 1_000).await.unwrap();
    assert_eq!(whole.len(), 21);
    assert!(whole.is_sorted_by(|one, two| one.id < two.id));
    for node in &whole {
        assert_eq!(share.view(&Query::node(node.id)).await.unwrap().nodes[0], *node);
    }
    for max in [1, 2, 7, 20, 21] {
        let (mut found, mut after) = (Vec::new(), NodeId(0));
        loop {
            let page = share.nodes(after, max).await.unwrap();
            assert!(page.len() <= max);
            let Some(last) = page.last() else { break };
            after = last.id;
            found.extend(page);
        }
        assert_eq!(found, whole);
    }
    assert!(share.nodes(NodeId(u64::MAX), 10).await.unwrap().is_empty());
    assert!(share.nodes(NodeId(0), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn references_come_once_in_order_in_pages_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap();
    let share = open_share(&store).await;
    let mut plan = Plan::at(creation("x", 9).now);
    let mut whole = Vec::new();
    for object in [0, 5, u128::MAX] {
        for (node, chunk) in [(0, 0), (3, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX)] {
            let (object, node) = (ObjectId(object), NodeId(node));
            plan.change(Change::InsertReference(Reference::live(object, node, chunk)));
            whole.push(Reference::live(object, node, chunk));
        }
    }
    share.apply(plan, None).await.unwrap();
    for max in [1, 5, 12, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = share.references_after(after, max).await.unwrap();
            assert!(page.len() <= max);
            let Some(last) = page.last() else { break };
            after = Some(*last);
            found.extend(page);
        }
        assert_eq!(found, whole, "{max} at once");
    }
}

#[tokio::test]
async fn replay_exclusions_of_a_node_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let options = RedbOptions { row_cache_bytes: 0, ..RedbOptions::new(folder.path()) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let share = open_share(&store).await;
    let exclusion = ReplayExclusion { up_to: dittofs_domain::Sequence(5), offset: 6, end: u64::MAX };
    for exclusions in [ReplayExclusions::default().with(exclusion), ReplayExclusions::default()] {
        let mut plan = Plan::at(creation("x", 9).now);
        let update = NodeUpdate { replay_exclusions: Some(exclusions.clone()), ..NodeUpdate::changed() };
        plan.change(Change::UpdateNode(NodeId::ROOT, update));
        share.apply(plan, None).await.unwrap();
        assert_eq!(share.view(&Query::node(NodeId::ROOT)).await.unwrap().nodes[0].replay_exclusions, exclusions);
    }
}
