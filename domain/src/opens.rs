//! Open files of one node, whatever the protocol: share modes, byte-range locks and caching rights.
//!
//! [`NodeOpens`] is the one state object. Its transitions are total: each returns a typed outcome, which includes the
//! messages to other clients (breaks, granted waiters). Time is an argument.
//!
//! | part | rule |
//! |---|---|
//! | [`ShareMode`] | what two opens allow each other |
//! | [`LockTable`] | byte-range locks: POSIX's by owner, mandatory ones by open, one table |
//! | [`LeaseTable`] | caching rights: which operation of another takes which of them away |

mod deletion;
mod lease;
mod lease_counts;
mod lease_table;
mod lock;
mod lock_table;
mod node;
mod open_files;
mod operation;
mod outcome;
mod range;
mod share_mode;
mod waiters;

pub use deletion::Deletion;
pub use lease::{Lease, LeaseForm, LeaseKey, LeaseState, Rights, Trigger};
pub use lease_table::{AcknowledgeError, Demand, LeaseTable, Requester};
pub use lock::{Lock, LockHolder, LockKind, LockOwner};
pub use lock_table::LockTable;
pub use node::{Closed, LeaseGrant, NodeOpens, Released};
pub use open_files::{Locking, Open};
pub use operation::Operation;
pub use outcome::{Break, Denied, LockOutcome, Outcome};
pub use range::LockRange;
pub use share_mode::{ShareAccess, ShareMode};
pub use waiters::{WaitToken, Waiter};

/// An open: all that an adapter keeps of it. Given out by the open service, unique while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpenToken(pub u64);

/// Bounds of what one node's opens may take.
pub mod limits {
    /// Opens of one node. It bounds the memory of one node to some MiB.
    pub const OPENS: usize = 65_536;
    /// Caching rights of one node. One for each open.
    pub const LEASES: usize = 65_536;
    /// Byte-range locks of one node. It bounds the work of a request that meets all of them.
    pub const LOCKS: usize = 16_384;
    /// Byte-range locks of one holder on one node. A quarter of all, so that one holder does not take all places.
    pub const LOCKS_PER_HOLDER: usize = 4_096;
    /// Requests for locks that wait on one node. A client waits for each of them. Beyond the limit, a client has to
    /// retry.
    pub const WAITERS: usize = 512;
    /// Bytes of the name that a protocol gives a lock owner (RFC 8881, 3.2: NFS4_OPAQUE_LIMIT).
    pub const OWNER_BYTES: usize = 1_024;
}

#[cfg(test)]
mod tests;
