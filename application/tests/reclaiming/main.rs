//! The background work of a share while its stores fail for a while: nothing is forgotten, and nothing waits for ever.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../parts/clock.rs"]
mod clock;
mod discards;
mod full;
mod instances;
mod outages;
#[path = "../parts/policy.rs"]
mod policy;
mod reaping;
mod repacking;
mod stores;
mod world;
