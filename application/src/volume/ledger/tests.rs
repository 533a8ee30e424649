use super::*;

const QUOTA: Quota = Quota { bytes: 100, nodes: 10 };

fn claimed(ledger: &Ledger) -> u64 {
    ledger.held().1.bytes
}

#[test]
fn claims_count_until_they_are_dropped_and_never_beyond_the_quota() {
    let ledger = Ledger::new(QUOTA);
    ledger.reaped(ledger.left());
    let mut all = ledger.claim(Amount::of_bytes(60)).unwrap();
    assert_eq!(ledger.claim(Amount::of_bytes(41)).unwrap_err(), Verdict::Wait);
    all.join(ledger.claim(Amount::of_bytes(40)).unwrap());
    assert_eq!(claimed(&ledger), 100);
    all.shrink_to(70);
    all.shrink_to(90);
    assert_eq!(claimed(&ledger), 70);
    all.set(120);
    assert_eq!(claimed(&ledger), 120);
    drop(all);
    assert_eq!(ledger.held(), (Amount::default(), Amount::default()));
}

#[test]
fn sums_follow_the_plans_that_were_applied() {
    let ledger = Ledger::new(QUOTA);
    ledger.reaped(ledger.left());
    ledger.begin(Statistics { bytes: 90, nodes: 2 }).applied();
    drop(ledger.begin(Statistics { bytes: 5, nodes: 5 }));
    assert_eq!(ledger.held().0, Amount { bytes: 90, nodes: 2 });
    assert_eq!(ledger.claim(Amount::of_bytes(11)).unwrap_err(), Verdict::Over);
    ledger.leave();
    assert_eq!(ledger.claim(Amount::of_bytes(11)).unwrap_err(), Verdict::Wait);
    let left = ledger.left();
    ledger.leave();
    ledger.reaped(left);
    assert_eq!(ledger.claim(Amount::of_bytes(11)).unwrap_err(), Verdict::Wait, "something was left since");
    ledger.reaped(ledger.left());
    assert_eq!(ledger.claim(Amount::of_bytes(11)).unwrap_err(), Verdict::Over);
}

/// Sums that were read before a plan was applied do not know of it.
#[test]
fn what_the_store_said_is_taken_over_unless_a_plan_came_between() {
    let ledger = Ledger::new(QUOTA);
    let said = Statistics { bytes: 7, nodes: 1 };
    ledger.observe(ledger.version(), said);
    assert_eq!(ledger.held().0, Amount { bytes: 7, nodes: 1 });
    let version = ledger.version();
    ledger.begin(Statistics { bytes: 10, nodes: 0 }).applied();
    ledger.observe(version, said);
    assert_eq!(ledger.held().0.bytes, 17);
    let on_its_way = ledger.begin(Statistics { bytes: 10, nodes: 0 });
    assert_eq!(ledger.version(), None);
    ledger.observe(ledger.version(), said);
    drop(on_its_way);
    assert_eq!(ledger.held().0.bytes, 17);
}
