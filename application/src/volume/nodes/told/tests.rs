use super::*;

#[test]
fn a_file_is_told_again_only_after_a_while_and_few_are_remembered() {
    let told: Told = Told::default();
    let at = |seconds| Duration::from_secs(seconds);
    assert!(told.is_due(NodeId(3), at(5)) && told.is_due(NodeId(4), at(5)));
    assert!(!told.is_due(NodeId(3), at(5)) && !told.is_due(NodeId(3), at(64)));
    assert!(told.is_due(NodeId(3), at(65)) && !told.is_due(NodeId(3), at(66)));
    for node in 0..10_000 {
        assert!(told.is_due(NodeId(100 + node), at(66)));
    }
    assert!(told.0.lock().len() <= TOLD_MAX);
}
