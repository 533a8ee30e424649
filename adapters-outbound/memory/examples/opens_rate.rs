//! Prints what one thread pays for a read and an open on a node that many have open and cache: CPU time where the
//! system tells it, since other programs' work would count in the time that passes.
//!
//! `cargo run --release -p dittofs-memory --example opens_rate`
#![allow(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use std::{future::Future, hint::black_box};

use dittofs_domain::{
    ClientId, NodeId,
    opens::{
        LeaseForm, LeaseKey, LockRange, Locking, NodeOpens, Open, OpenToken, Operation, Outcome, Rights, ShareAccess,
        ShareMode,
    },
};
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{OpenHint, OpenState};

const SHARED: NodeId = NodeId(3);
/// Another node of the same map, with nothing on it.
const UNTOUCHED: NodeId = NodeId(3 + 64);
const ENOUGH_NANOS: u64 = 200_000_000;

/// Nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a memory store waited"),
    }
}

fn open(state: &MemoryOpenState, client: u64) {
    let key = LeaseKey { client: client_id(client), form: LeaseForm::Lease, id: u128::from(client) };
    let share = ShareMode { access: ShareAccess::READ, deny: ShareAccess::empty() };
    let open = Open { client: client_id(client), share, locking: Locking::Mandatory, lease: Some(key), file: None };
    now(state.update(SHARED, &mut |opens: &mut NodeOpens| {
        assert_eq!(opens.open(OpenToken(client), open, false, 1), Outcome::Granted(Vec::new()));
        assert_eq!(opens.request_lease(key, Rights::READ | Rights::HANDLE).rights, Rights::READ | Rights::HANDLE);
    }))
    .unwrap();
}

fn close(state: &MemoryOpenState, client: u64) {
    now(state.update(SHARED, &mut |opens: &mut NodeOpens| assert!(opens.close(OpenToken(client)).is_some()))).unwrap();
}

/// A read as the services check it.
fn read(state: &MemoryOpenState, node: NodeId, client: u64) {
    if state.is_idle() {
        return;
    }
    let operation = Operation::Read(LockRange::exact(0, 4_096).unwrap());
    let mut ask = |opens: &NodeOpens| {
        assert_eq!(opens.leases().next_deadline_ms(), None);
        assert_eq!(opens.admits(client_id(client), Some(OpenToken(client)), operation), Some(Ok(())));
    };
    assert_ne!(state.hint(node, &mut ask), OpenHint::Unknown);
}

fn client_id(number: u64) -> ClientId {
    ClientId::Smb(number)
}

/// Repeats a step until it has taken long enough to be measured.
fn nanoseconds(mut step: impl FnMut()) -> u64 {
    let (start, mut rounds, mut more) = (cpu_nanos(), 0, 16);
    loop {
        (0..more).for_each(|_| step());
        rounds += more;
        more = rounds;
        let spent = cpu_nanos() - start;
        if spent > ENOUGH_NANOS {
            return spent / rounds;
        }
    }
}

/// Time that this thread has spent on a processor, where the system tells.
fn cpu_nanos() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

fn main() {
    println!("{:>8} {:>14} {:>14} {:>14}  ns each", "opens", "read", "read elsewhere", "open and close");
    for opens in [1, 3_000, 60_000] {
        let state = MemoryOpenState::new();
        for client in 0..opens {
            open(&state, client);
        }
        let reading = nanoseconds(|| read(black_box(&state), SHARED, 0));
        let elsewhere = nanoseconds(|| read(black_box(&state), UNTOUCHED, 0));
        let opening = nanoseconds(|| {
            open(&state, opens);
            close(&state, opens);
        });
        println!("{opens:>8} {reading:>14} {elsewhere:>14} {opening:>14}");
    }
}
