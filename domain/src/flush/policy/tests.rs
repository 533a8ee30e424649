use rstest::rstest;

use super::*;

const MIB: u64 = 1 << 20;

fn node(id: u64, bytes: u64, age_ms: u64) -> NodeFacts {
    NodeFacts { node: NodeId(id), bytes, slices: 1, age_ms, idle_ms: age_ms.min(1_000), waited_for: false }
}

fn chosen(nodes: &[NodeFacts], share: ShareFacts) -> Vec<(u64, Urgency)> {
    let candidates = Policy::default().candidates(nodes, &share);
    candidates.iter().map(|candidate| (candidate.node.0, candidate.urgency)).collect()
}

#[test]
fn who_waits_goes_before_pressure_and_pressure_before_age() {
    let share = ShareFacts { journal: Usage { used: 60 * MIB, limit: 100 * MIB }, ..ShareFacts::default() };
    let waiting = NodeFacts { waited_for: true, ..node(4, 1, 0) };
    let nodes = [node(10, 17 * MIB, 10), node(11, 40 * MIB, 7_000), node(12, 1, 6_000), waiting, node(13, 1, 20)];
    let expected = vec![(4, Urgency::Wait), (11, Urgency::Pressure), (12, Urgency::Age), (10, Urgency::Full)];
    assert_eq!(chosen(&nodes, share), expected);
}

#[rstest]
#[case::young(4_999, 1, None)]
#[case::of_age(5_000, 1, Some(Urgency::Age))]
#[case::an_object(500, 16 * MIB, Some(Urgency::Full))]
fn without_pressure_age_and_size_decide(#[case] age_ms: u64, #[case] bytes: u64, #[case] expected: Option<Urgency>) {
    let urgencies: Vec<_> = chosen(&[node(5, bytes, age_ms)], ShareFacts::default()).into_iter().collect();
    assert_eq!(urgencies.first().map(|(_, urgency)| *urgency), expected);
}

#[test]
fn a_full_journal_takes_the_oldest_and_full_memory_the_largest_and_no_more_than_is_needed() {
    let nodes = [node(4, 10, 30), node(5, 30, 20), node(6, 50, 10)];
    let usage = Usage { used: 90, limit: 100 };
    let journal = ShareFacts { journal: Usage { used: 60, limit: 100 }, ..ShareFacts::default() };
    assert_eq!(chosen(&nodes, journal), vec![(4, Urgency::Pressure), (5, Urgency::Pressure)]);
    let memory = ShareFacts { memory: Usage { used: 60, limit: 100 }, ..ShareFacts::default() };
    assert_eq!(chosen(&nodes, memory), vec![(6, Urgency::Pressure)]);
    assert_eq!(chosen(&nodes, ShareFacts { memory: usage, journal: usage }).len(), 3);
}

#[rstest]
#[case::unlimited(Usage { used: u64::MAX, limit: 0 }, 0)]
#[case::at_the_mark(Usage { used: 50, limit: 100 }, 0)]
#[case::above(Usage { used: 51, limit: 100 }, 1)]
#[case::huge(Usage { used: u64::MAX, limit: u64::MAX }, 1)]
fn pressure_begins_above_its_mark(#[case] memory: Usage, #[case] count: usize) {
    assert_eq!(chosen(&[node(5, 1, 0)], ShareFacts { memory, ..ShareFacts::default() }).len(), count);
}

#[test]
fn a_node_without_slices_is_never_flushed() {
    let idle = NodeFacts { slices: 0, bytes: 0, waited_for: true, ..node(4, 0, 90_000) };
    assert_eq!(chosen(&[idle], ShareFacts::default()), vec![]);
}

#[test]
fn scattered_slices_come_together_as_long_as_there_are_more() {
    let scattered = |age_ms, idle_ms| NodeFacts { slices: 16 << 10, idle_ms, ..node(4, 64 << 20, age_ms) };
    assert_eq!(chosen(&[scattered(600, 600)], ShareFacts::default()), []);
    assert_eq!(chosen(&[scattered(5_000, 500)], ShareFacts::default()), [(4, Urgency::Age)]);
    assert_eq!(chosen(&[scattered(29_999, 499)], ShareFacts::default()), []);
    assert_eq!(chosen(&[scattered(30_000, 0)], ShareFacts::default()), [(4, Urgency::Age)]);
}

#[rstest]
#[case::it_goes_on(40, 0, 499, &[])]
#[case::it_is_over(40, 0, 500, &[(4, Urgency::Full)])]
#[case::much_of_the_journal(41, 0, 0, &[(4, Urgency::Full)])]
#[case::much_of_the_memory(0, 41, 0, &[(4, Urgency::Full)])]
fn a_burst_is_flushed_when_it_is_over_or_takes_much(
    #[case] journal: u64,
    #[case] memory: u64,
    #[case] idle_ms: u64,
    #[case] expected: &[(u64, Urgency)],
) {
    let usage = |used| Usage { used, limit: 100 };
    let burst = NodeFacts { idle_ms, ..node(4, 900 * MIB, 2_000) };
    assert_eq!(chosen(&[burst], ShareFacts { journal: usage(journal), memory: usage(memory) }), expected);
}
