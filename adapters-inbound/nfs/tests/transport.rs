//! The transport over loopback, with a toy program.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "transport/all_connections.rs"]
mod all_connections;
#[path = "transport/bounds.rs"]
mod bounds;
#[path = "transport/pipelining.rs"]
mod pipelining;
#[path = "transport/toy.rs"]
mod toy;
#[path = "transport/unadmitted.rs"]
mod unadmitted;
