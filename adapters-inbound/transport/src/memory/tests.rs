use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;
const LIMIT: u64 = 32 << 20;

fn network(last: u8) -> ClientNetwork {
    ClientNetwork::of(Ipv4Addr::new(192, 0, 2, last).into())
}

/// Charges of a MiB each until there is no more room.
fn fill(account: &Account) -> Vec<Charge> {
    std::iter::from_fn(|| account.try_charge(MIB)).collect()
}

fn poll(account: &Account, bytes: usize) -> Poll<Charge> {
    account.poll_charge(bytes, &mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_lone_connection_gets_a_third_and_a_newcomer_always_finds_room() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy: Vec<(Account, Vec<Charge>)> = (0..8)
        .map(|last| {
            let account = budget.account(network(last));
            let charges = fill(&account);
            assert!(!charges.is_empty(), "newcomer {last} finds no room");
            (account, charges)
        })
        .collect();
    assert_eq!(greedy[0].1.len(), 11);
    assert!(budget.usage().taken < LIMIT);
}

#[test]
fn connections_of_one_client_take_no_more_than_what_they_leave() {
    let budget = MemoryBudget::new(LIMIT);
    let connections: Vec<Account> = (0..100).map(|_| budget.account(network(1))).collect();
    let charges: Vec<Vec<Charge>> = connections.iter().map(fill).collect();
    let taken = budget.usage().taken;
    assert!((LIMIT / 2 - 2 * MIB as u64..=LIMIT / 2).contains(&taken), "{taken}");
    // Not one has it all.
    assert!(charges.iter().all(|charges| charges.len() <= 11));
    let other = budget.account(network(2));
    assert!(fill(&other).len() >= 4, "another client finds its share");
}

#[test]
fn small_calls_need_no_room() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy: Vec<Account> = (0..40).map(|last| budget.account(network(last))).collect();
    let _charges: Vec<Vec<Charge>> = greedy.iter().map(fill).collect();
    let small = budget.account(network(1));
    for _ in 0..1000 {
        let charge = small.try_charge(MemoryBudget::OWN_CALL_BYTES as usize);
        assert!(charge.is_some());
    }
}

#[test]
fn who_waits_gets_what_is_given_back_in_order() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy = budget.account(network(1));
    let mut charges = fill(&greedy);
    let (first, second) = (budget.account(network(1)), budget.account(network(1)));
    let (woken_first, woken_second) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    for (account, woken) in [(&first, &woken_first), (&second, &woken_second)] {
        let waker = Waker::from(Arc::clone(woken));
        assert!(account.poll_charge(12 * MIB, &mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!((budget.usage().waiting, budget.is_short()), (2, true));
    while woken_first.0.load(Ordering::Relaxed) == 0 {
        charges.pop().expect("the first is woken before all is given back");
    }
    assert_eq!(woken_second.0.load(Ordering::Relaxed), 0);
    // A grant is for the account that waited, and nobody else takes it.
    let granted = poll(&first, 12 * MIB);
    assert!(granted.is_ready());
    charges.clear();
    drop(granted);
    assert_eq!(woken_second.0.load(Ordering::Relaxed), 1);
    assert!(poll(&second, 12 * MIB).is_ready());
    assert_eq!(budget.usage().taken, 0);
}

#[test]
fn a_connection_is_short_by_the_wait_of_others_only() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy = budget.account(network(1));
    let _charges = fill(&greedy);
    assert!(poll(&greedy, 20 * MIB).is_pending());
    let other = budget.account(network(2));
    assert_eq!((budget.is_short(), greedy.is_short(), other.is_short()), (true, false, true));
    assert!(poll(&other, 30 * MIB).is_pending());
    assert!(greedy.is_short());
}

#[test]
fn who_leaves_the_line_gives_back_what_was_granted() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy = budget.account(network(1));
    let charges = fill(&greedy);
    let waiting = budget.account(network(1));
    assert!(poll(&waiting, 20 * MIB).is_pending());
    drop(charges);
    assert!(budget.usage().taken > 0, "it was granted");
    drop(waiting);
    assert_eq!(budget.usage().taken, 0);
    let gone = budget.account(network(2));
    let charges = fill(&greedy);
    assert!(poll(&gone, 30 * MIB).is_pending());
    drop(gone);
    assert!(!budget.is_short());
    drop(charges);
}

#[test]
fn nobody_passes_a_waiting_one_who_holds_nothing() {
    let budget = MemoryBudget::new(LIMIT);
    let holders: Vec<Account> = (1..=3).map(|last| budget.account(network(last))).collect();
    let mut charges: Vec<Vec<Charge>> = holders.iter().map(fill).collect();
    let large = budget.account(network(9));
    assert!(poll(&large, 16 * MIB).is_pending());
    charges[0].pop();
    assert!(holders[0].try_charge(MIB).is_none(), "it must not pass");
    charges.clear();
    assert!(poll(&large, 16 * MIB).is_ready());
}

#[test]
fn a_charge_that_outlives_its_account_gives_back_all_the_same() {
    let budget = MemoryBudget::new(LIMIT);
    let account = budget.account(network(1));
    let mut charge = account.try_charge(MIB).expect("there is room");
    charge.merge(account.try_charge(2 * MIB).expect("there is room"));
    drop(account);
    assert_eq!(charge.bytes(), 3 * MIB as u64);
    charge.set(40 << 20);
    assert!(budget.usage().taken > LIMIT, "what is there is counted");
    charge.set(1);
    assert_eq!(budget.usage().taken, 0);
    drop(charge);
}

/// Room that a connection had at hand when it came is not counted as room that it has when it is served.
#[test]
fn a_grant_suffices_also_where_calls_have_ended_while_it_waited() {
    const READ: usize = 20 << 10;
    const WRITE: usize = 1040 << 10;
    let budget = MemoryBudget::new(1900 << 10);
    let (account, greedy) = (budget.account(network(1)), budget.account(network(2)));
    let mut reads: Vec<Charge> = (0..6).filter_map(|_| account.try_charge(READ)).collect();
    let held = greedy.try_charge(MIB);
    let taken_by_greedy = (MIB as u64) - MemoryBudget::OWN_CALL_BYTES;
    reads.drain(..3);
    assert_eq!(budget.usage().taken - taken_by_greedy, 112 << 10);
    assert!(poll(&account, WRITE).is_pending());
    reads.clear();
    assert_eq!(budget.usage().taken, taken_by_greedy, "it waits and holds some");
    assert!(poll(&account, WRITE).is_pending());
    drop(held);
    assert!(poll(&account, WRITE).is_ready());
    assert_eq!(budget.usage().waiting, 0);
}

#[test]
fn nobody_keeps_room_at_hand_while_it_waits() {
    let budget = MemoryBudget::new(LIMIT);
    let account = budget.account(network(1));
    let mut charges: Vec<Charge> = (0..3).filter_map(|_| account.try_charge(30_000)).collect();
    charges.truncate(1);
    let slack = budget.usage().taken;
    assert!(slack > 16 << 10, "{slack}");
    assert!(poll(&account, 40 * MIB).is_pending());
    assert_eq!(budget.usage().taken, 16 << 10);
}

#[test]
fn a_charge_that_exceeds_the_whole_budget_has_its_turn_and_bars_nobody_for_ever() {
    let budget = MemoryBudget::new(4 << 20);
    let (large, small) = (budget.account(network(1)), budget.account(network(2)));
    let held = small.try_charge(MIB);
    assert!(poll(&large, 100 * MIB).is_pending());
    assert!(poll(&small, MIB).is_pending(), "it must not pass");
    drop(held);
    let Poll::Ready(charge) = poll(&large, 100 * MIB) else { panic!("it waits for more than there is") };
    assert_eq!(charge.bytes(), (4 << 20) + MemoryBudget::OWN_CALL_BYTES);
    drop(charge);
    assert!(poll(&small, MIB).is_ready());
}

#[test]
fn another_request_takes_the_place_of_the_one_that_waits() {
    let budget = MemoryBudget::new(4 << 20);
    let (account, other) = (budget.account(network(1)), budget.account(network(2)));
    let held = other.try_charge(MIB);
    assert!(poll(&account, 4 * MIB).is_pending());
    let small = poll(&account, 4096);
    assert!(small.is_ready() && !budget.is_short());
    assert!(poll(&account, 3500 << 10).is_pending());
    drop((small, held));
    // It was granted, and isn't wanted.
    assert!(poll(&account, MIB).is_ready());
    assert_eq!((budget.usage().taken, budget.usage().waiting), (0, 0));
}

/// Requests of any size: also of more than the budget, and small ones that what is kept at hand suffices for.
fn any_bytes() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..60_000, 0usize..3_000_000, 0usize..100_000_000]
}

proptest! {
    #[test]
    fn whatever_happens_the_sums_agree_and_nothing_leaks(
        limit in 0u64..=LIMIT,
        steps in proptest::collection::vec((0usize..6, 0usize..6, any_bytes()), 1..200),
    ) {
        let budget = MemoryBudget::new(limit);
        let mut accounts: Vec<Account> = (0..6).map(|n| budget.account(network(n as u8 / 2))).collect();
        let mut asked: Vec<Option<usize>> = vec![None; accounts.len()];
        let mut charges: Vec<(usize, Charge)> = Vec::new();
        for (who, what, bytes) in steps {
            match what {
                0 => charges.extend(accounts[who].try_charge(bytes).map(|charge| (who, charge))),
                1 | 2 => {
                    // Mostly it is the same call that waits.
                    let bytes = asked[who].filter(|_| what == 1).unwrap_or(bytes);
                    asked[who] = Some(bytes);
                    if let Poll::Ready(charge) = poll(&accounts[who], bytes) {
                        charges.push((who, charge));
                        asked[who] = None;
                    }
                }
                3 => if !charges.is_empty() { drop(charges.swap_remove(bytes % charges.len())) },
                4 => if let Some((_, charge)) = charges.first_mut() { charge.set(bytes as u64 / 2) },
                _ => {
                    accounts[who] = budget.account(network(who as u8 / 2));
                    asked[who] = None;
                }
            }
            assert_agrees(&budget, &accounts);
            // A grant is there also later.
            if bytes % 3 == 0 {
                assert_granted_is_ready(&budget, &accounts, &mut asked, &mut charges);
            }
        }
        // All that wait come to an end when the charges do, in whatever order they are served.
        charges.clear();
        while budget.is_short() {
            let mut served = Vec::new();
            assert_granted_is_ready(&budget, &accounts, &mut asked, &mut served);
            prop_assert!(!served.is_empty(), "all wait, and nobody holds anything");
            drop(served);
            assert_agrees(&budget, &accounts);
        }
        drop(accounts);
        prop_assert_eq!(budget.usage().taken, 0);
        prop_assert_eq!(budget.usage().waiting, 0);
    }
}

fn assert_agrees(budget: &MemoryBudget, accounts: &[Account]) {
    accounts.iter().for_each(|account| account.core.assert_sound());
    let state = budget.state.lock();
    assert_eq!(state.by_network.values().sum::<u64>(), state.taken);
    let is_hungry = |waiting: &Arc<Core>| state.of(waiting.network()) == 0;
    assert_eq!(state.hungry, state.waiting.iter().filter(|waiting| is_hungry(waiting)).count());
    for waiting in &state.waiting {
        assert!(!waiting.waits_in_vain(&state), "somebody waits for what there is");
        if is_hungry(waiting) {
            break;
        }
    }
}

/// Fetches for all that were granted what they asked for: it must be there.
fn assert_granted_is_ready(
    budget: &MemoryBudget,
    accounts: &[Account],
    asked: &mut [Option<usize>],
    charges: &mut Vec<(usize, Charge)>,
) {
    for (who, account) in accounts.iter().enumerate() {
        let stands_in_line = budget.state.lock().waiting.iter().any(|waiting| Arc::ptr_eq(waiting, &account.core));
        let Some(bytes) = asked[who].filter(|_| !stands_in_line) else { continue };
        let Poll::Ready(charge) = poll(account, bytes) else { panic!("{bytes} were granted, and do not suffice") };
        charges.push((who, charge));
        asked[who] = None;
    }
}

#[test]
fn threads_that_take_and_wait_all_come_to_an_end() {
    let budget = MemoryBudget::new(4 << 20);
    std::thread::scope(|scope| {
        for number in 0..8u8 {
            let budget = &budget;
            scope.spawn(move || {
                let account = budget.account(network(number / 2));
                let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
                for round in 0..500 {
                    let bytes = 10_000 + (round * 7919) % MIB;
                    let charge = loop {
                        match account.poll_charge(bytes, &mut Context::from_waker(&waker)) {
                            Poll::Ready(charge) => break charge,
                            Poll::Pending => std::thread::park_timeout(std::time::Duration::from_secs(20)),
                        }
                    };
                    assert!(budget.usage().taken <= 4 << 20);
                    drop(charge);
                }
            });
        }
    });
    assert_eq!(budget.usage().taken, 0);
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
