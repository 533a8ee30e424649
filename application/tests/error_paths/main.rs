//! What callers get, and what stays, where a store or the journal fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod content;
mod journal;
mod metadata;
mod world;
