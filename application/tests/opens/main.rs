//! Opens, locks and caching rights, as every protocol meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod breaks;
mod by_name;
#[path = "../parts/clock.rs"]
mod clock;
mod directory_leases;
mod failures;
mod grace;
mod known;
mod locks;
#[path = "../parts/policy.rs"]
mod policy;
mod release;
mod share_modes;
mod streams;
mod unlinked;
mod watching;
mod world;
mod xattrs;
