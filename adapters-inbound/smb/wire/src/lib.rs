//! The messages of SMB 2.0.2 to 3.1.1 as bytes (MS-SMB2 section 2), for a server: requests are decoded, responses
//! encoded. The feature `client` adds the other direction for test clients.
//!
//! The way of a request:
//! 1. [`frame::decode`] takes a whole message from the stream.
//! 2. [`Packet::decode`] tells a plain message from an encrypted, a compressed and an SMB1 one.
//! 3. [`Compound::decode`] splits a plain message into its parts; each is a [`Message`] with its header.
//! 4. [`Request::decode`], or [`Decode::decode`] of one type, reads the body. Its buffers are parts of the frame's
//!    allocation.
//!
//! The way of a response: [`OutgoingMessage::new`] puts header and body together; [`compound::link`] chains several;
//! each is then signed on its own, and all its segments are sent behind one [`frame::header`].
//!
//! The payloads inside QUERY_INFO, SET_INFO, QUERY_DIRECTORY and IOCTL are bytes to the messages. They have modules of
//! their own:
//! - [`info`]: information classes of files, directories and volumes (MS-FSCC 2.4 and 2.5), names and search patterns
//! - [`control`]: file system controls (MS-SMB2 2.2.31 and 2.2.32, MS-FSCC 2.3)
//! - [`security`]: security identifiers and descriptors (MS-DTYP 2.4)
//!
//! This crate knows no sockets, clocks, keys or open files. Bytes of a client may say anything: a decoder fails only
//! where they can't be read, and never allocates more than a small multiple of what it was given. Whether a value makes
//! sense is for the server to decide, because the standard has a status for each case.

#![deny(missing_docs)]

pub mod access;
pub mod attributes;
pub mod change_notify;
pub mod close;
pub mod compound;
pub mod control;
pub mod create;
pub mod cursor;
pub mod dialect;
pub mod empty;
pub mod error;
pub mod filetime;
pub mod flush;
pub mod frame;
pub mod fuzz;
pub mod header;
pub mod identifiers;
pub mod info;
pub mod ioctl;
mod layout;
pub mod lock;
pub mod message;
pub mod negotiate;
pub mod oplock_break;
pub mod output;
pub mod packet;
pub mod query_directory;
pub mod query_info;
pub mod read;
pub mod request;
pub mod response;
#[cfg(test)]
mod sample;
pub mod security;
pub mod session_setup;
pub mod set_info;
pub mod smb1;
pub mod status;
pub mod text;
pub mod transform;
pub mod tree_connect;
pub mod write;

pub use compound::{Compound, Message};
pub use cursor::Malformed;
pub use header::{Command, Header};
pub use message::{Decode, Encode, OutgoingMessage};
pub use packet::Packet;
pub use request::Request;
pub use response::Response;
pub use status::NtStatus;
