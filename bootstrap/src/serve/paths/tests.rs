use super::*;
use dittofs_ports::mocks::MockShareMetadata;

#[tokio::test]
async fn nodes_whose_path_is_unknown_are_named_by_number_and_only_so_many() {
    let mut metadata = MockShareMetadata::new();
    metadata.expect_view().returning(|_| Ok(Default::default()));
    let nodes: Vec<NodeId> = [9, 7, 7, 8, 9].map(NodeId).to_vec();
    assert_eq!(named(&nodes, 2, &metadata).await, ["file number 7", "file number 8", "1 more"]);
    assert!(named(&[], 2, &metadata).await.is_empty());
}
