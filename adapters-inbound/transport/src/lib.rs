//! The bounds that all protocols share: what every connection of a server may take together.
//!
//! - [`ClientNetwork`]: who counts as one client, as far as an address tells
//! - [`MemoryBudget`]: the bytes of requests and replies in all, shared fairly between clients and connections
//! - [`Connections`]: how many there are, of one client, and without an admitted call; the idlest makes room
//! - [`Newcomers`]: those that wait for a place among the connections
//! - [`Progress`]: when a transfer is too slow
//! - [`Control`]: what the server wants of a connection
//!
//! What is taken is given back by a guard's drop, so that nothing leaks however a connection ends. This crate does not
//! know: sockets, runtimes, protocols, what a call is.

#![deny(missing_docs)]

mod bounds;
mod connections;
mod control;
mod memory;
mod network;
mod newcomers;
mod progress;

pub use bounds::{Bounds, BoundsOptions};
pub use connections::{ConnectionBounds, Connections, Full, Seat};
pub use control::{Control, Wish};
pub use memory::{Account, Charge, MemoryBudget, MemoryUse};
pub use network::ClientNetwork;
pub use newcomers::{Newcomers, Received};
pub use progress::Progress;
