//! The parts that all protocols share: how they are plugged into a server, and the bounds of what their connections may
//! take together.
//!
//! - [`Protocol`]: what a server asks of a protocol, from its start to its end
//! - [`ClientNetwork`]: who counts as one client, as far as an address tells
//! - [`MemoryBudget`]: the bytes of requests and replies in all, shared fairly between clients and connections
//! - [`Connections`]: how many there are, of one client, and without an admitted call; the idlest makes room
//! - [`Newcomers`]: those that wait for a place among the connections
//! - [`Progress`]: when a transfer is too slow
//! - [`Control`]: the server's wish for a connection
//! - [`RecordedWrites`]: which writes are worth a line in the record of who changed what
//!
//! A guard's drop gives back what was taken, so that nothing leaks however a connection ends. The bounds know nothing
//! of sockets, runtimes and protocols, nor what a call is.

#![deny(missing_docs)]

mod audit;
mod bounds;
mod connections;
mod control;
mod memory;
mod network;
mod newcomers;
mod progress;
mod protocol;

pub use audit::{AUDIT, RecordedWrites};
pub use bounds::{Bounds, BoundsOptions};
pub use connections::{ConnectionBounds, Connections, Full, Seat};
pub use control::{Control, Wish};
pub use memory::{Account, Charge, MemoryBudget, MemoryUse};
pub use network::ClientNetwork;
pub use newcomers::{Newcomers, Received};
pub use progress::Progress;
pub use protocol::{IDLE_USUAL, ListenError, Protocol, Services, Serving};
