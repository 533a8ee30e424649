//! The thin shell of tokio around the state machines: sockets, buffers, timers, and the bounds on each.
//!
//! Each connection lives on one *front*, a single-threaded runtime. The calls that a receive brings are started at once, and all
//! replies that are then ready leave in one vectored write; after a bounded time the front's other connections have their turn. Fronts
//! share no lock but where connections come and go, and where one holds more bytes than its own.

mod buffers;
mod connection;
mod datagram;
mod limits;
mod meter;
mod output;
mod receive;
mod server;

pub use datagram::serve_datagrams;
pub use limits::{Limits, PAYLOAD_BYTES_MAX};
pub use server::{Drained, Server};
