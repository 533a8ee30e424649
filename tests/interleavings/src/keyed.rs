//! Locks by key: one holder a key at a time, and nothing is left behind.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use shuttle::{future::block_on, thread};

use crate::{copied, holds, is_broken};

copied!(keyed);
copied!(keyed_forgets_waiters);
copied!(keyed_keeps_locks);

/// Three threads want one key, one of them without waiting.
macro_rules! scenario {
    ($source:ident) => {
        || {
            let locks = Arc::new($source::KeyedLocks::new());
            let held = Arc::new(AtomicBool::new(false));
            let work = |waits: bool| {
                let (locks, held) = (Arc::clone(&locks), Arc::clone(&held));
                thread::spawn(move || {
                    let guard = if waits { Some(block_on(locks.lock(7u64))) } else { locks.try_lock(7u64) };
                    if let Some(guard) = guard {
                        assert!(!held.swap(true, Ordering::SeqCst), "two hold the lock of a key");
                        thread::yield_now();
                        held.store(false, Ordering::SeqCst);
                        drop(guard);
                    }
                })
            };
            for worker in [work(true), work(true), work(true), work(false)] {
                worker.join().unwrap();
            }
            assert_eq!(locks.len(), 0, "a lock that nobody holds or wants is kept");
        }
    };
}

#[test]
fn one_at_a_time_holds_the_lock_of_a_key() {
    holds(scenario!(keyed));
}

#[test]
fn a_lock_forgotten_while_somebody_waits_is_found() {
    is_broken(scenario!(keyed_forgets_waiters));
}

#[test]
fn a_lock_that_is_kept_is_found() {
    is_broken(scenario!(keyed_keeps_locks));
}
