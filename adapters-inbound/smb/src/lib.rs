//! SMB 2 and 3 over the services (MS-SMB2): another inbound adapter, beside NFS, over the same files.
//!
//! - [`Smb`], the protocol that a server plugs in, and its options
//! - `connection`, `link`, `calls`: frames to requests, requests to answers, and the state of a connection
//! - `negotiation`, `establish`, `session`: terms, logon, keys
//! - `command`: one file for each command
//!
//! What is on the wire is in `dittofs-smb-wire`, logon and cryptography in `dittofs-smb-security`, pipes in
//! `dittofs-smb-rpc`. This crate does not know how files are kept, and decides no permission: it translates.

#![deny(missing_docs)]

mod accounts;
mod audit;
mod below;
mod caching;
mod call_log;
mod calls;
mod client;
mod closing;
mod command;
mod connection;
mod counts;
mod credits;
mod descriptors;
mod durable;
mod establish;
mod events;
mod extended;
mod facts;
mod failure;
mod holdings;
mod link;
mod listing;
mod locking;
mod names;
mod negotiation;
mod open;
mod path;
mod protocol;
mod renewal;
mod replays;
mod server;
mod session;
mod share;
mod tree;

pub use protocol::{Encryption, Smb, SmbLimits, SmbOptions};
