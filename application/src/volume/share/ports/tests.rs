use super::*;

#[test]
fn refusals_are_reported_once_a_minute_with_the_number_of_those_between() {
    let refused = RefusedPorts::default();
    let at = |seconds| refused.due(Duration::from_secs(seconds));
    assert_eq!(at(100), Some(0));
    assert_eq!([at(100), at(120), at(159)], [None; 3]);
    assert_eq!(at(160), Some(3));
    assert_eq!(at(161), None);
    assert_eq!(at(1_000), Some(1));
}
