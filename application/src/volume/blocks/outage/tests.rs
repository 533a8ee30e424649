use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn lasts_from_the_first_failure_to_the_next_answer() {
    let outage = Outage::default();
    assert_eq!(outage.lasts(at(5)), None);
    for now in [10, 40, 100, 180] {
        outage.failed(at(now));
        assert_eq!(outage.lasts(at(now)), Some(at(now - 10)));
    }
    assert_eq!(outage.lasts(at(181)), Some(at(171)));
    outage.over();
    assert_eq!(outage.lasts(at(182)), None);
    outage.failed(at(200));
    assert_eq!(outage.lasts(at(200)), Some(at(0)));
}

#[test]
fn failures_far_apart_are_two_outages() {
    let outage = Outage::default();
    outage.failed(at(10));
    outage.failed(at(3_600));
    assert_eq!(outage.lasts(at(3_600)), Some(at(0)));
}
