use dittofs_domain::NodeKind;

use super::*;
use crate::metadata::tests::node;

#[test]
fn nodes_are_found_until_they_are_removed_and_leave_no_group_behind() {
    let mut nodes = Nodes::default();
    let ids: Vec<u64> = (3..5_000).chain([1 << 40, NodeId::MAX.0 - 1, NodeId::MAX.0]).collect();
    for id in &ids {
        assert!(nodes.slot(NodeId(*id)).is_none());
        nodes.insert(Arc::new(node(*id, NodeKind::File)));
    }
    assert_eq!(nodes.len(), ids.len());
    for (gone, id) in ids.iter().enumerate() {
        assert_eq!(nodes.record(NodeId(*id)).unwrap().id, NodeId(*id));
        assert!(nodes.slot_mut(NodeId(*id)).is_some());
        assert!(nodes.remove(NodeId(*id)).is_some() && nodes.remove(NodeId(*id)).is_none());
        assert_eq!(nodes.len(), ids.len() - gone - 1);
    }
    assert!(nodes.tables.iter().all(HashTable::is_empty));
}
