use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH.plus_ms(seconds * 1_000)
}

#[test]
fn what_is_kept_is_bounded_and_the_newest_counts() {
    let times = AccessTimes::new();
    for node in 0..NODES_MAX as u64 + 10 {
        times.note(NodeId(node), at(1));
    }
    assert_eq!((times.nodes().len(), times.of(NodeId(NODES_MAX as u64))), (NODES_MAX, None));
    times.note(NodeId(3), at(5));
    times.note(NodeId(3), at(4));
    assert_eq!(times.of(NodeId(3)), Some(at(5)));
    times.forget(NodeId(3), at(4));
    assert_eq!(times.of(NodeId(3)), Some(at(5)), "it was noted after what was written");
    times.forget(NodeId(3), at(5));
    assert_eq!((times.of(NodeId(3)), times.nodes().len()), (None, NODES_MAX - 1));
}
