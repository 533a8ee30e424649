use dittofs_domain::{ObjectId, Timestamp};
use dittofs_ports::mocks::MockShareMetadata;

use super::*;

/// A store with nodes of these ids, of which some are damaged.
fn store(ids: &'static [u64], damaged: &'static [u64]) -> MockShareMetadata {
    let mut store = MockShareMetadata::new();
    store.expect_nodes().returning(move |after, max| {
        let found: Vec<u64> = ids.iter().copied().filter(|id| *id > after.0).take(max).collect();
        if found.iter().any(|id| damaged.contains(id)) {
            return Err(MetadataError::Corrupt("the row is damaged".into()));
        }
        let node = |id| Node { id: NodeId(id), ..Node::root(0, 0, 0o755, Timestamp::default()) };
        Ok(found.into_iter().map(|id| Arc::new(node(id))).collect())
    });
    store
}

/// What a scan sees, and which rows it found to be damaged.
async fn scanned(store: &MockShareMetadata, max: usize) -> (Vec<u64>, Vec<u64>) {
    let (mut seen, mut damaged, mut after) = (Vec::new(), Vec::new(), NodeId(0));
    loop {
        let page = nodes_after(store, after, max).await.unwrap();
        seen.extend(page.nodes.iter().map(|node| node.id.0));
        damaged.extend(page.damaged.map(|node| node.0));
        match page.next() {
            Some(next) => after = next,
            None => return (seen, damaged),
        }
    }
}

#[tokio::test]
async fn a_scan_sees_all_nodes_but_the_damaged_ones_and_names_these() {
    let ids = &[3, 4, 9, 10, 11, 500_000, 500_001, 1 << 40];
    for damaged in [&[][..], &[3], &[4], &[9, 10], &[500_001], &[3, 4, 11, 1 << 40], ids] {
        let whole: Vec<u64> = ids.iter().copied().filter(|id| !damaged.contains(id)).collect();
        let is_last = |at: usize| damaged.contains(&ids[at]) && ids.get(at + 1).is_none_or(|id| !damaged.contains(id));
        let named: Vec<u64> = (0..ids.len()).filter(|at| is_last(*at)).map(|at| ids[at]).collect();
        for max in [1, 2, 3, 100] {
            assert_eq!(scanned(&store(ids, damaged), max).await, (whole.clone(), named.clone()), "{damaged:?} {max}");
        }
    }
}

#[tokio::test]
async fn a_store_that_can_read_nothing_at_all_is_no_damaged_node() {
    let mut store = MockShareMetadata::new();
    store.expect_nodes().returning(|_, _| Err(MetadataError::Corrupt(format!("{}", ObjectId(1)).into())));
    assert!(matches!(nodes_after(&store, NodeId(0), 9).await, Err(MetadataError::Corrupt(_))));
}
