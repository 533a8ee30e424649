//! The errors that callers get, and the state that stays, where a store or the journal fails, or where something comes
//! between.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asked;
mod atime;
mod between;
mod content;
mod directory_leases;
mod interposed;
mod journal;
mod metadata;
#[path = "../parts/policy.rs"]
mod policy;
mod reads;
mod repeated;
mod replay;
mod retiring;
mod truncations;
mod world;
