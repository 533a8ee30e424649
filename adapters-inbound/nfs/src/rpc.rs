//! ONC RPC version 2 (RFC 5531), without sockets: records in, replies out.

mod auth;
mod call;
mod call_line;
mod numbered;
mod operations;
mod outcome;
pub(crate) mod outgoing;
mod program;
mod record;
mod reply;

pub use auth::{AuthStat, AuthSys, Credential};
pub use call::{Call, Incoming};
pub(crate) use call_line::CALLS;
pub(crate) use numbered::numbered_procedures;
pub use operations::{Operations, Procedure, Status};
pub use outcome::Outcome;
pub use program::{CallFuture, Dispatch, Program, Programs};
pub use record::{RecordError, RecordReader};
pub use reply::Reply;

/// The only version of RPC.
pub const RPC_VERSION: u32 = 2;

#[cfg(test)]
mod tests;
