use super::*;

#[test]
fn a_file_is_reported_again_only_after_a_while_and_few_are_remembered() {
    let reported: Reported = Reported::default();
    let at = |seconds| Duration::from_secs(seconds);
    assert!(reported.is_due(NodeId(3), at(5)) && reported.is_due(NodeId(4), at(5)));
    assert!(!reported.is_due(NodeId(3), at(5)) && !reported.is_due(NodeId(3), at(64)));
    assert!(reported.is_due(NodeId(3), at(65)) && !reported.is_due(NodeId(3), at(66)));
    for node in 0..10_000 {
        assert!(reported.is_due(NodeId(100 + node), at(66)));
    }
    assert!(reported.0.lock().len() <= REPORTED_MAX);
}
