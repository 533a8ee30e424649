//! The store over real databases: what the suite of all metadata stores does not see.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod claims;
mod fixture;
mod folding;
mod migrations;
mod outages;
mod plans;
mod random;
mod refusals;
mod round_trips;
mod tls;
mod updates;
