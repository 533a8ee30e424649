use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;

use super::*;

const MIB: usize = 1 << 20;
const LIMIT: u64 = 32 << 20;

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
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
            let account = budget.account(address(last));
            let charges = fill(&account);
            assert!(!charges.is_empty(), "newcomer {last} finds no room");
            (account, charges)
        })
        .collect();
    assert_eq!(greedy[0].1.len(), 11);
    assert!(budget.usage().taken < LIMIT);
}

#[test]
fn connections_of_one_address_take_no_more_than_what_they_leave() {
    let budget = MemoryBudget::new(LIMIT);
    let connections: Vec<Account> = (0..100).map(|_| budget.account(address(1))).collect();
    let charges: Vec<Vec<Charge>> = connections.iter().map(fill).collect();
    let taken = budget.usage().taken;
    assert!((LIMIT / 2 - 2 * MIB as u64..=LIMIT / 2).contains(&taken), "{taken}");
    // Not one has it all.
    assert!(charges.iter().all(|charges| charges.len() <= 11));
    let other = budget.account(address(2));
    assert!(fill(&other).len() >= 4, "another address finds its share");
}

#[test]
fn small_calls_need_no_room() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy: Vec<Account> = (0..40).map(|last| budget.account(address(last))).collect();
    let _charges: Vec<Vec<Charge>> = greedy.iter().map(fill).collect();
    let small = budget.account(address(1));
    for _ in 0..1000 {
        let charge = small.try_charge(MemoryBudget::OWN_CALL_BYTES as usize);
        assert!(charge.is_some());
    }
}

#[test]
fn who_waits_gets_what_is_given_back_in_order() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy = budget.account(address(1));
    let mut charges = fill(&greedy);
    let (first, second) = (budget.account(address(1)), budget.account(address(1)));
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
    // What was granted is for who waited, and nobody else takes it.
    let granted = poll(&first, 12 * MIB);
    assert!(granted.is_ready());
    charges.clear();
    drop(granted);
    assert_eq!(woken_second.0.load(Ordering::Relaxed), 1);
    assert!(poll(&second, 12 * MIB).is_ready());
    assert_eq!(budget.usage().taken, 0);
}

#[test]
fn who_leaves_the_line_gives_back_what_was_granted() {
    let budget = MemoryBudget::new(LIMIT);
    let greedy = budget.account(address(1));
    let charges = fill(&greedy);
    let waiting = budget.account(address(1));
    assert!(poll(&waiting, 20 * MIB).is_pending());
    drop(charges);
    assert!(budget.usage().taken > 0, "it was granted");
    drop(waiting);
    assert_eq!(budget.usage().taken, 0);
    let gone = budget.account(address(2));
    let charges = fill(&greedy);
    assert!(poll(&gone, 30 * MIB).is_pending());
    drop(gone);
    assert!(!budget.is_short());
    drop(charges);
}

#[test]
fn nobody_passes_a_waiting_one_who_holds_nothing() {
    let budget = MemoryBudget::new(LIMIT);
    let holders: Vec<Account> = (1..=3).map(|last| budget.account(address(last))).collect();
    let mut charges: Vec<Vec<Charge>> = holders.iter().map(fill).collect();
    let large = budget.account(address(9));
    assert!(poll(&large, 16 * MIB).is_pending());
    charges[0].pop();
    assert!(holders[0].try_charge(MIB).is_none(), "it must not pass");
    charges.clear();
    assert!(poll(&large, 16 * MIB).is_ready());
}

#[test]
fn a_charge_that_outlives_its_account_gives_back_all_the_same() {
    let budget = MemoryBudget::new(LIMIT);
    let account = budget.account(address(1));
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

proptest! {
    #[test]
    fn whatever_happens_the_sums_agree_and_nothing_leaks(
        steps in proptest::collection::vec((0usize..6, 0usize..5, 0usize..3_000_000), 1..200),
    ) {
        let budget = MemoryBudget::new(LIMIT);
        let mut accounts: Vec<Account> = (0..6).map(|n| budget.account(address(n as u8 / 2))).collect();
        let mut charges: Vec<(usize, Charge)> = Vec::new();
        for (who, what, bytes) in steps {
            match what {
                0 => charges.extend(accounts[who].try_charge(bytes).map(|charge| (who, charge))),
                1 => if let Poll::Ready(charge) = poll(&accounts[who], bytes) { charges.push((who, charge)) },
                2 => { charges.pop(); }
                3 => if let Some((_, charge)) = charges.first_mut() { charge.set(bytes as u64 / 2) },
                _ => accounts[who] = budget.account(address(who as u8 / 2)),
            }
            let state = budget.state.lock();
            prop_assert_eq!(state.by_address.values().sum::<u64>(), state.taken);
            let hungry = state.waiting.iter().filter(|w| state.of(w.account.address()) == 0).count();
            prop_assert_eq!(state.hungry, hungry);
            for waiting in &state.waiting {
                let may = state.may_take(waiting.account.address(), waiting.account.taken(), waiting.bytes);
                prop_assert!(!may, "somebody waits for what there is");
                if state.of(waiting.account.address()) == 0 {
                    break;
                }
            }
        }
        drop(charges);
        drop(accounts);
        prop_assert_eq!(budget.usage().taken, 0);
        prop_assert_eq!(budget.usage().waiting, 0);
    }
}

#[test]
fn threads_that_take_and_wait_all_come_to_an_end() {
    let budget = MemoryBudget::new(4 << 20);
    std::thread::scope(|scope| {
        for number in 0..8u8 {
            let budget = &budget;
            scope.spawn(move || {
                let account = budget.account(address(number / 2));
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
