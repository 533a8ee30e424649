//! Starts of a server one after the other, with stores that are away, lost or older.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../parts/clock.rs"]
mod clock;
mod journals;
mod numbers;
mod outages;
#[path = "../parts/policy.rs"]
mod policy;
mod world;
