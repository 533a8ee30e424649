//! OPLOCK_BREAK, MS-SMB2 2.2.23 to 2.2.25: the server's notification, the client's acknowledgment and the response to
//! this, each for oplocks and for leases.

use bytes::Bytes;

use crate::create::{LeaseState, OplockLevel};
use crate::cursor::Malformed;
use crate::identifiers::{FileId, LeaseKey};
use crate::layout::{Body, bit_set, fixed_body};
use crate::message::Decode;

fixed_body! {
    /// An oplock break in its three forms, which have the same layout: notification (2.2.23.1), acknowledgment
    /// (2.2.24.1) and response (2.2.25.1).
    pub struct OplockBreak(24) {
        /// The level that remains.
        pub oplock_level: OplockLevel,
        reserved 5;
        /// The open.
        pub file_id: FileId,
    }
}

bit_set! {
    /// The flags of a lease break notification.
    pub struct LeaseBreakFlags(u32) {
        /// The client must acknowledge the break.
        ACK_REQUIRED = 0x0000_0001,
    }
}

fixed_body! {
    /// A lease break notification, 2.2.23.2.
    pub struct LeaseBreakNotification(44) {
        /// The lease's epoch after the break; zero for leases of version 1.
        pub new_epoch: u16,
        /// Whether to acknowledge.
        pub flags: LeaseBreakFlags,
        /// The lease.
        pub lease_key: LeaseKey,
        /// The state that the client has.
        pub current_lease_state: LeaseState,
        /// The state that remains.
        pub new_lease_state: LeaseState,
        trailing 12;
    }
}

fixed_body! {
    /// A lease break acknowledgment (2.2.24.2) and the response to it (2.2.25.2), which have the same layout.
    pub struct LeaseBreak(36) {
        reserved 2;
        /// Reserved.
        pub flags: u32,
        /// The lease.
        pub lease_key: LeaseKey,
        /// The state that the client keeps.
        pub lease_state: LeaseState,
        trailing 8;
    }
}

/// An acknowledgment from a client: of an oplock or of a lease break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakAcknowledgment {
    /// Of an oplock break.
    Oplock(OplockBreak),
    /// Of a lease break.
    Lease(LeaseBreak),
}

impl Decode for BreakAcknowledgment {
    /// The two forms differ by StructureSize.
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        match Body::structure_size(message)? {
            36 => LeaseBreak::decode(message).map(Self::Lease),
            _ => OplockBreak::decode(message).map(Self::Oplock),
        }
    }
}

#[cfg(test)]
mod tests;
