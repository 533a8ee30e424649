//! Remote procedure calls over named pipes, as far as clients of a file server need them.
//!
//! A client lists shares by opening `srvsvc` on the share `IPC$` and calling procedures through it; `wkssvc` tells it
//! the name of the server's domain. [`Pipe`] is the server's end of such an open pipe, from its first byte to its
//! last: it takes what the client writes and holds what the client may read. It implements:
//!
//! - the connection-oriented protocol of C706 (chapter 12) with the extensions of MS-RPCE: bind, alter_context,
//!   requests in fragments, responses in fragments, and faults;
//! - both transfer syntaxes, NDR (32-bit, preferred) and NDR64;
//! - of MS-SRVS: NetrShareEnum, NetrShareEnumSticky, NetrShareGetInfo and NetrServerGetInfo;
//! - of MS-WKST: NetrWkstaGetInfo.
//!
//! There is no authentication at this level: the SMB session below has authenticated the user, and whoever opens the
//! pipe decides which shares that user may see. The crate knows no sockets, no clock, no session and no file system.
//!
//! Everything that a client can make grow is bounded: [`MAX_FRAGMENT_BYTES`], [`MAX_REQUEST_BYTES`],
//! [`MAX_RESPONSE_BYTES`] and [`MAX_UNREAD_BYTES`].

#![deny(missing_docs)]

mod association;
mod cursor;
pub mod fuzz;
mod interface;
mod ndr;
mod pdu;
mod pipe;
mod server;
mod srvsvc;
mod win32;
mod wkssvc;

pub use association::MAX_REQUEST_BYTES;
pub use pdu::MAX_FRAGMENT_BYTES;
pub use pipe::{MAX_UNREAD_BYTES, Pipe, PipeError, Reply};
pub use server::{Server, Share, ShareKind};
pub use srvsvc::MAX_RESPONSE_BYTES;
