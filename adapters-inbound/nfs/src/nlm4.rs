//! The Network Lock Manager, version 4 (Open Group C702, "XNFS", chapter 14): byte-range locks and DOS shares for
//! clients of NFSv3, in the same tables as everybody's.
//!
//! | part | does |
//! |---|---|
//! | `program` | procedures, by answer or by a call in return |
//! | `locking` | locks, by the services |
//! | `reservations` | DOS shares |
//! | `claims` | who has something on which file: what goes when a client ends |
//! | `waiting`, `granted` | requests that wait, and how their clients are told |
//! | `ends` | clients that end, or have started again |

mod claims;
pub(crate) mod ends;
mod granted;
mod locking;
pub(crate) mod origin;
mod owner;
mod places;
pub(crate) mod program;
mod reservations;
mod waiting;
pub mod wire;

pub(crate) use granted::Events;
pub(crate) use locking::LockManager;
pub use program::Nlm4;

/// The program's number.
pub const PROGRAM: u32 = 100_021;
/// The version that goes with NFSv3.
pub const VERSION: u32 = 4;
/// Versions 1 to 3 go with NFSv2, which is not served: no lock is granted by them. Some clients look for version 1
/// first to see whether anybody serves locks at all.
pub const VERSIONS: [u32; 3] = [1, 3, VERSION];
