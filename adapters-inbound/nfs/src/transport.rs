//! The thin shell of tokio around the state machines: sockets, buffers, timers, and the bounds on each.
//!
//! Each connection lives on one *front*, a single-threaded runtime. All calls that one receive brings are started at once, and all
//! replies that are then ready leave in one vectored write. Fronts share no lock but where connections come and go.

mod buffers;
mod connection;
mod control;
mod datagram;
mod limits;
mod meter;
mod output;
mod receive;
mod server;

pub use datagram::serve_datagrams;
pub use limits::Limits;
pub use server::{Drained, Server};
