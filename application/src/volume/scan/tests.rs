use dittofs_domain::{Timestamp, plan::View};
use dittofs_ports::mocks::MockShareMetadata;

use super::*;

fn node(id: NodeId) -> Arc<Node> {
    Arc::new(Node { id, ..Node::root(0, 0, 0o755, Timestamp::default()) })
}

fn corrupt<T>() -> Result<T, MetadataError> {
    Err(MetadataError::Corrupt("the row is damaged".into()))
}

/// A store with nodes of these ids, of which some are damaged.
fn store(ids: &'static [u64], damaged: &'static [u64]) -> MockShareMetadata {
    let is_damaged = move |id: &NodeId| damaged.contains(&id.0);
    let found = move |after: NodeId, max| -> Vec<NodeId> {
        ids.iter().copied().map(NodeId).filter(|id| *id > after).take(max).collect()
    };
    let mut store = MockShareMetadata::new();
    store.expect_nodes().returning(move |after, max| {
        let found = found(after, max);
        if found.iter().any(is_damaged) { corrupt() } else { Ok(found.into_iter().map(node).collect()) }
    });
    store.expect_node_ids().returning(move |after, max| Ok(found(after, max)));
    store.expect_view().returning(move |query| {
        if query.nodes.iter().any(is_damaged) {
            return corrupt();
        }
        let nodes = query.nodes.iter().copied().filter(|id| ids.contains(&id.0)).map(node).collect();
        Ok(View { nodes, ..View::default() })
    });
    store
}

/// Returns the nodes that a scan sees, and those whose rows it finds damaged.
async fn scanned(store: &MockShareMetadata, max: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut seen, mut damaged, mut after) = (Vec::new(), Vec::new(), NodeId(0));
    loop {
        let page = nodes_after(store, after, max).await.unwrap();
        seen.extend(page.nodes.iter().map(|node| node.id.0));
        damaged.extend(page.damaged.iter().map(|node| node.0));
        match page.next() {
            Some(next) => after = next,
            None => return (seen, damaged),
        }
    }
}

#[tokio::test]
async fn a_scan_sees_all_nodes_but_the_damaged_ones_and_names_each_of_these() {
    let ids = &[3, 4, 9, 10, 11, 20, 500_000, 500_001, 1 << 40];
    // Of 10 and 20, a search by halves would find the second, and leave out what is between them.
    for damaged in [&[][..], &[3], &[4], &[9, 10], &[10, 20], &[500_001], &[3, 4, 11, 1 << 40], ids] {
        let whole: Vec<u64> = ids.iter().copied().filter(|id| !damaged.contains(id)).collect();
        for max in [1, 2, 3, 100] {
            let expected = (whole.clone(), damaged.to_vec());
            assert_eq!(scanned(&store(ids, damaged), max).await, expected, "{damaged:?} {max}");
        }
    }
}

#[tokio::test]
async fn nodes_that_go_while_damage_is_looked_for_do_not_end_the_scan() {
    let mut store = MockShareMetadata::new();
    store.expect_nodes().returning(|_, _| corrupt());
    store.expect_node_ids().returning(|_, _| Ok(vec![NodeId(7), NodeId(8)]));
    store.expect_view().returning(|_| Ok(View::default()));
    let page = nodes_after(&store, NodeId(3), 2).await.unwrap();
    assert_eq!((page.nodes.len(), page.damaged.len(), page.next()), (0, 0, Some(NodeId(8))));
}

#[tokio::test]
async fn a_store_that_can_read_nothing_at_all_has_no_damaged_node() {
    let mut store = MockShareMetadata::new();
    store.expect_nodes().returning(|_, _| corrupt());
    store.expect_node_ids().returning(|_, _| Ok(vec![NodeId(7)]));
    store.expect_view().returning(|_| corrupt());
    assert!(matches!(nodes_after(&store, NodeId(0), 9).await, Err(MetadataError::Corrupt(_))));
}
