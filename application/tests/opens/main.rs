//! Opens, locks and caching rights, as every protocol meets them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod breaks;
mod failures;
mod known;
mod locks;
mod release;
mod share_modes;
mod unlinked;
mod world;
