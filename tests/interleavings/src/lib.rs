//! Interleavings that no single-threaded simulation sees: the locks and atomics of a few sources are replaced by explored
//! ones (see `build.rs`), and short scenarios run under thousands of schedules. Each promise is also checked on a copy with
//! a broken step, where a schedule must break it.
//!
//! The order of steps is explored. Orderings of memory weaker than the order of steps are not.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub, missing_docs)]

mod cache;
mod explored;
mod flights;
mod keyed;
mod pending;
mod stand_in;

// The copied sources call these by the names of their own crates.
pub(crate) use stand_in::{admission, codec, fault, keys, redo, tables};

use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many schedules are tried.
const SCHEDULES: usize = 3_000;
/// How many are tried at most until a broken step shows: some show in one of a thousand only.
const SCHEDULES_OF_BROKEN: usize = 100_000;

/// The scenario holds under every schedule that is tried.
fn holds(scenario: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(scenario, SCHEDULES);
}

/// Some schedule breaks the scenario.
fn is_broken(scenario: impl Fn() + Send + Sync + 'static) {
    let checked = catch_unwind(AssertUnwindSafe(|| shuttle::check_random(scenario, SCHEDULES_OF_BROKEN)));
    assert!(checked.is_err(), "no schedule shows the broken step: is it still in the source that build.rs copies?");
}

/// Includes a copied source.
macro_rules! copied {
    ($name:ident) => {
        #[allow(warnings, clippy::all)]
        pub(crate) mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    };
}
pub(crate) use copied;
