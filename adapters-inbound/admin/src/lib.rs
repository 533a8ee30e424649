//! Management of a running server: HTTP over a local socket, for the program's own commands.
//!
//! Who may open the socket may do everything: it belongs into a folder that only the server's user can enter.
//!
//! - `GET /v1/shares`: all shares, with their space
//! - `POST /v1/flush`: everything that was acknowledged goes to its content store
//!
//! This crate does not know: how the server was configured but by what it is told to tell, what a flush is.

mod client;
mod routes;
mod server;
mod wire;

pub use client::{Client, ClientError};
pub use server::serve;
pub use wire::{Refused, ShareFacts, ShareView, SharesView, SpaceView};

#[cfg(test)]
mod tests;
