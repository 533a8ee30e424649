//! Suites that cross crates: conformance of adapters to their ports, and small stores that prove how one is added.
//!
//! Everything here is test code, though it is a library: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod bucket;
pub mod conformance;
pub mod exposition;
pub mod fault_proxy;
pub mod model;
pub mod nlm_client;
pub mod ports;
pub mod report;
pub mod rpc;
pub mod s3;
pub mod server;
pub mod smb_client;
pub mod stores;
pub mod world;
pub mod worst;
