//! The pipe as clients use it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod fragmentation;
mod known_answers;
mod robustness;
