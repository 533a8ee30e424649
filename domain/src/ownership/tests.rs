mod model;
mod outages;

use std::time::Duration;

use super::*;
use crate::{Epoch, Timestamp};

fn start(epoch: u64, nonce: u64) -> Start {
    Start { epoch: Epoch(epoch), nonce }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn lineage(starts: &[Start]) -> Lineage {
    let mut lineage = Lineage::default();
    starts.iter().for_each(|start| lineage.give(*start));
    lineage
}

#[test]
fn metadata_know_the_starts_that_they_gave_and_no_others() {
    let mut known = lineage(&[start(1, 10), start(2, 20)]);
    assert_eq!(known.judge(Part::Content, None), Standing::New);
    assert_eq!(known.judge(Part::Content, Some(start(2, 20))), Standing::Known);
    assert_eq!(known.judge(Part::Content, Some(start(3, 30))), Standing::Ahead, "an older copy of the metadata");
    assert_eq!(known.judge(Part::Content, Some(start(2, 21))), Standing::Ahead, "others went on from a copy");
    known.note(Part::Content, Some(start(2, 20)));
    assert_eq!(known.judge(Part::Content, Some(start(1, 10))), Standing::Older);
    assert_eq!(known.judge(Part::Content, None), Standing::Older);
    assert_eq!(known.judge(Part::Journal, None), Standing::New, "the journal is another part");
}

#[test]
fn a_start_that_a_part_has_is_known_however_many_followed_that_never_reached_it() {
    let mut known = lineage(&[start(1, 10)]);
    known.note(Part::Content, Some(start(1, 10)));
    (2..1_000).for_each(|epoch| known.give(start(epoch, epoch)));
    assert!(known.given().len() < 200, "what is remembered is bounded");
    assert_eq!(known.judge(Part::Content, Some(start(1, 10))), Standing::Known);
    assert_eq!(known.judge(Part::Content, Some(start(999, 999))), Standing::Known);
    assert_eq!(known.judge(Part::Content, Some(start(999, 998))), Standing::Ahead);
    assert_eq!(known.judge(Part::Content, Some(start(1_000, 1_000))), Standing::Ahead);
}

/// However often a start is refused, and takes an epoch, the same mark is refused again.
#[test]
fn older_metadata_do_not_become_newer_by_being_started() {
    let mut old = lineage(&[start(1, 10)]);
    for epoch in 2..300 {
        assert_eq!(old.judge(Part::Journal, Some(start(50, 7))), Standing::Ahead);
        old.give(start(epoch, epoch * 1_000));
    }
}

#[test]
fn a_lease_allows_a_removal_only_if_it_outlasts_it() {
    let terms = Terms::of_requests_within(seconds(10));
    let mut lease = Lease::taken(terms, seconds(100), seconds(100));
    assert_eq!(terms.lease, seconds(20));
    assert!(lease.allows_delete(seconds(110)) && !lease.allows_delete(seconds(111)));
    assert!(lease.allows_put(seconds(119)) && !lease.allows_put(seconds(120)));
    assert_eq!(lease.phase(seconds(120)), Phase::Expired);
    lease.renewed(seconds(108));
    assert!(lease.allows_delete(seconds(118)));
    lease.renewed(seconds(50));
    assert!(lease.allows_put(seconds(127)), "an answer that comes late shortens nothing");
    lease.lose();
    assert_eq!(lease.phase(seconds(110)), Phase::Lost);
}

#[test]
fn a_lease_after_somebody_elses_allows_nothing_before_that_ones_requests_have_ended() {
    let terms = Terms::of_requests_within(seconds(10));
    let lease = Lease::taken(terms, seconds(100), seconds(110));
    assert_eq!(lease.phase(seconds(105)), Phase::Waiting { until: seconds(110) });
    assert!(!lease.allows_put(seconds(105)) && lease.allows_put(seconds(110)));
}

#[test]
fn several_renewals_may_fail_before_removals_stop() {
    let terms = Terms::of_requests_within(seconds(30));
    assert!(terms.renew * 3 + terms.request_max <= terms.lease);
    assert!(Terms::watch(terms.lease) > terms.renew);
    assert!(terms.settle() <= terms.renew);
}

fn claimant(seat: u64, own: Start) -> Claimant {
    Claimant {
        owner: 7,
        start: own,
        lineage: lineage(&[start(1, 1), own]),
        holder: Holder { seat, ..Holder::default() },
        terms: Terms::of_requests_within(seconds(10)),
        must_be_there: true,
        takes_over: false,
    }
}

/// A mark of the start that all know.
fn mark(seat: u64, tag: u64) -> Mark {
    let mut tenure = Tenure::new(Claimant { lineage: lineage(&[]), ..claimant(seat, start(1, 1)) });
    tenure.write(tag, "/export", Timestamp::EPOCH)
}

fn read(tenure: &mut Tenure, at: u64, mark: &Mark) {
    assert_eq!(tenure.step(seconds(at)), Step::Read, "{tenure:?}");
    tenure.has_read(seconds(at), seconds(at), Some(mark.clone()));
}

#[test]
fn a_start_on_the_seat_of_the_last_holder_waits_for_nobody() {
    let mut tenure = Tenure::new(claimant(1, start(2, 2)));
    read(&mut tenure, 100, &mark(1, 5));
    assert_eq!(tenure.step(seconds(100)), Step::Write);
    let own = tenure.write(6, "/export", Timestamp::EPOCH);
    tenure.has_written(seconds(100), seconds(101), own, true);
    assert_eq!(tenure.phase(seconds(101)), Some(Phase::Held));
}

#[test]
fn a_start_elsewhere_is_refused_while_the_holder_renews_its_mark() {
    let mut tenure = Tenure::new(claimant(2, start(2, 2)));
    read(&mut tenure, 100, &mark(1, 5));
    read(&mut tenure, 101, &mark(1, 5));
    read(&mut tenure, 103, &mark(1, 6));
    assert_eq!(tenure.refusal(), Some(&Refusal::Living(mark(1, 6))));
    assert_eq!(tenure.step(seconds(200)), Step::Nothing);
}

#[test]
fn a_start_elsewhere_takes_a_silent_holders_objects_and_waits_for_its_requests() {
    for takes_over in [false, true] {
        let mut tenure = Tenure::new(Claimant { takes_over, ..claimant(2, start(2, 2)) });
        let mut at = 100;
        while tenure.step(seconds(at)) != Step::Write {
            read(&mut tenure, at, &mark(1, 5));
            at += 1;
            assert!(at < 110, "{tenure:?}");
        }
        let own = tenure.write(6, "/export", Timestamp::EPOCH);
        tenure.has_written(seconds(at), seconds(at), own, true);
        // Lease, time-out and margin of the other one.
        assert!(matches!(tenure.phase(seconds(at + 18)), Some(Phase::Waiting { .. })), "{tenure:?}");
        let mut own = tenure.write(7, "/export", Timestamp::EPOCH);
        for renewal in (at + 4)..(at + 40) {
            own = tenure.write(renewal, "/export", Timestamp::EPOCH);
            tenure.has_written(seconds(renewal), seconds(renewal), own.clone(), true);
        }
        assert_eq!(tenure.phase(seconds(at + 40)), Some(Phase::Held), "{own:?}");
    }
}

#[test]
fn a_mark_that_is_somebody_elses_ends_it_for_good() {
    let mut tenure = Tenure::new(claimant(1, start(2, 2)));
    read(&mut tenure, 100, &mark(1, 5));
    let own = tenure.write(6, "/export", Timestamp::EPOCH);
    tenure.has_written(seconds(100), seconds(100), own, true);
    let other = Mark { start: Some(start(2, 3)), ..mark(2, 9) };
    tenure.write(7, "/export", Timestamp::EPOCH);
    tenure.was_not_written(seconds(104), seconds(104), Some(other.clone()));
    assert_eq!(tenure.phase(seconds(104)), Some(Phase::Lost));
    assert_eq!(tenure.lost_to(), Some(&other));
    assert!(tenure.release(8, "/export", Timestamp::EPOCH).is_none(), "it has nothing to give back");
}

#[test]
fn a_mark_whose_answer_was_lost_is_still_its_own() {
    let mut tenure = Tenure::new(claimant(1, start(2, 2)));
    read(&mut tenure, 100, &mark(1, 5));
    let first = tenure.write(6, "/export", Timestamp::EPOCH);
    tenure.was_not_answered(seconds(101));
    read(&mut tenure, 102, &first);
    let second = tenure.write(7, "/export", Timestamp::EPOCH);
    tenure.was_not_written(seconds(102), seconds(103), Some(second));
    assert!(matches!(tenure.phase(seconds(103)), Some(Phase::Waiting { .. })), "it may have replaced another's mark");
    // An answer to a renewal is lost, and the next one meets it.
    let third = tenure.write(8, "/export", Timestamp::EPOCH);
    tenure.was_not_answered(seconds(107));
    tenure.write(9, "/export", Timestamp::EPOCH);
    tenure.was_not_written(seconds(108), seconds(108), Some(third));
    assert_eq!(tenure.step(seconds(109)), Step::Write);
    assert!(tenure.lease().is_some());
}

#[test]
fn a_mark_whose_answer_was_lost_is_its_own_however_long_the_store_is_silent_then() {
    for is_atomic in [true, false] {
        let mut tenure = Tenure::new(claimant(1, start(2, 2)));
        read(&mut tenure, 100, &mark(1, 5));
        let first = tenure.write(6, "/export", Timestamp::EPOCH);
        tenure.has_written(seconds(100), seconds(100), first, is_atomic);
        let unanswered = tenure.write(7, "/export", Timestamp::EPOCH);
        tenure.was_not_answered(seconds(104));
        for second in 105..1_000 {
            tenure.write(second, "/export", Timestamp::EPOCH);
            tenure.was_not_answered(seconds(second));
        }
        tenure.was_not_written(seconds(1_000), seconds(1_000), Some(unanswered.clone()));
        assert_eq!(tenure.lost_to(), None, "it would wait for itself for ever");
        for second in 1_001..1_100 {
            tenure.has_read(seconds(second), seconds(second), Some(unanswered.clone()));
        }
        assert_eq!(tenure.lost_to(), None);
    }
}

#[test]
fn what_is_released_is_free_at_once() {
    let mut tenure = Tenure::new(claimant(1, start(2, 2)));
    read(&mut tenure, 100, &mark(1, 5));
    let own = tenure.write(6, "/export", Timestamp::EPOCH);
    tenure.has_written(seconds(100), seconds(100), own, true);
    let released = tenure.release(7, "/export", Timestamp::EPOCH).expect("it was held");
    assert!(released.is_released());
    assert!(!tenure.lease().is_some_and(|lease| lease.allows_put(seconds(101))));
    let next = Claimant { lineage: lineage(&[start(2, 2), start(3, 3)]), ..claimant(2, start(3, 3)) };
    let mut next = Tenure::new(next);
    read(&mut next, 102, &released);
    assert_eq!(next.step(seconds(102)), Step::Write);
}

/// A start that took the objects over has to wait for the last holder, even if it is started again, or gives them back.
#[test]
fn the_wait_for_an_earlier_owner_outlives_a_restart_and_a_release() {
    for is_atomic in [true, false] {
        for is_released in [true, false] {
            let mut second = Tenure::new(Claimant { takes_over: true, ..claimant(2, start(2, 2)) });
            read(&mut second, 100, &mark(1, 5));
            let mut own = second.write(6, "/export", Timestamp::EPOCH);
            second.has_written(seconds(100), seconds(100), own.clone(), is_atomic);
            if is_released {
                own = second.release(7, "/export", Timestamp::EPOCH).expect("it was claimed");
            }
            let next =
                Claimant { lineage: lineage(&[start(1, 1), start(2, 2), start(3, 3)]), ..claimant(2, start(3, 3)) };
            let mut next = Tenure::new(next);
            read(&mut next, 105, &own);
            let own = next.write(8, "/export", Timestamp::EPOCH);
            next.has_written(seconds(105), seconds(105), own.clone(), is_atomic);
            if !is_atomic {
                read(&mut next, 110, &own);
            }
            assert!(
                matches!(next.phase(seconds(115)), Some(Phase::Waiting { .. })),
                "{is_atomic} {is_released} {next:?}"
            );
            for at in (116..180).step_by(4) {
                if !is_atomic {
                    let seen = next.seen().expect("it is there").clone();
                    read(&mut next, at, &seen);
                }
                let own = next.write(at, "/export", Timestamp::EPOCH);
                next.has_written(seconds(at), seconds(at), own, is_atomic);
            }
            assert_eq!(next.phase(seconds(180)), Some(Phase::Held));
            let own = next.write(1_000, "/export", Timestamp::EPOCH);
            assert_eq!(own.request_max, seconds(10), "nothing is waited for any more");
        }
    }
}
