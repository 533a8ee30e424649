//! The NFS adapter: from bytes on a socket to calls of the services, and back.
//!
//! `rpc` and `duplicate` are state machines without sockets or clocks; `transport` is the thin shell that gives them both. `nfs3`,
//! `mount3`, `nlm4`, `nsm` and `portmap` are the programs; `protocol` is what a server plugs in.

#![deny(clippy::indexing_slicing, missing_docs)]
#![cfg_attr(test, allow(clippy::indexing_slicing))]

pub mod duplicate;
#[doc(hidden)]
pub mod fuzz;
pub mod mount3;
pub mod nfs3;
pub mod nlm4;
pub mod nsm;
pub mod portmap;
mod presented;
mod protocol;
pub mod rpc;
mod statistics;
pub mod transport;

pub use protocol::{Nfs, NfsLimits, NfsOptions};
pub use statistics::NfsStatistics;
