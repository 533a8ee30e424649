//! NFS version 3 (RFC 1813).

mod attributes;
mod call_log;
mod content;
mod fair_semaphore;
mod listing;
mod names;
mod operations;
mod program;
mod translate;
pub mod wire;

pub use program::Nfs3;

use crate::transport::PAYLOAD_BYTES_MAX;

/// The program's number.
pub const PROGRAM: u32 = 100_003;
/// The program's version.
pub const VERSION: u32 = 3;
/// The most bytes that one READ or WRITE transfers.
pub const TRANSFER_BYTES_MAX: u32 = PAYLOAD_BYTES_MAX as u32;
