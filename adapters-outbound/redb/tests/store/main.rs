//! The database as a whole: what it keeps, what it refuses to open, and how it fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod disk;
mod failing;
mod failures;
mod fixture;
mod opening;
mod operations;
mod power;
mod recovery;
mod reopening;
mod rows;
mod scans;
mod upgrade;
