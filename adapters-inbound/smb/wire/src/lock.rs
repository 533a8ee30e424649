//! LOCK, MS-SMB2 2.2.26. Its response is an [`crate::empty::EmptyBody`].

use bytes::Bytes;

use crate::cursor::{Fields, Malformed};
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set};
use crate::message::Decode;
#[cfg(feature = "client")]
use crate::message::{Encode, OutgoingMessage, length_u16};

bit_set! {
    /// The flags of one element of a LOCK.
    pub struct LockFlags(u32) {
        /// Lock the range so that others may read it.
        SHARED_LOCK = 0x0000_0001,
        /// Lock the range so that others may neither read nor write it.
        EXCLUSIVE_LOCK = 0x0000_0002,
        /// Unlock the range.
        UNLOCK = 0x0000_0004,
        /// Fail at once if the lock can't be granted, instead of waiting.
        FAIL_IMMEDIATELY = 0x0000_0010,
    }
}

/// One range to lock or unlock, 2.2.26.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockElement {
    /// Where the range begins.
    pub offset: u64,
    /// How long it is; zero is a range too.
    pub length: u64,
    /// How to lock.
    pub flags: LockFlags,
}

impl LockElement {
    const SIZE: usize = 24;
}

/// A LOCK request, 2.2.26.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockRequest {
    /// Since SMB 2.1, the sequence number in the lowest 4 bits, and above it an index that names an entry of the open's
    /// lock sequence array, to tell a repeated request. Reserved in SMB 2.0.2.
    pub lock_sequence: u32,
    /// The open.
    pub file_id: FileId,
    /// The ranges in order: one at least, and as many as the message has room for at most.
    pub locks: Vec<LockElement>,
}

impl LockRequest {
    /// It includes one element.
    const STRUCTURE_SIZE: u16 = 48;
    const ELEMENTS_OFFSET: u64 = 88;
}

impl Decode for LockRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let count: u16 = body.read()?;
        let lock_sequence = body.read()?;
        let file_id = body.read()?;
        if count == 0 {
            return Err(Malformed);
        }
        let elements =
            crate::cursor::range(message, Self::ELEMENTS_OFFSET, u64::from(count) * LockElement::SIZE as u64)?;
        let mut fields = Fields::new(&elements);
        let locks = (0..count).map(|_| {
            let element = LockElement { offset: fields.read()?, length: fields.read()?, flags: fields.read()? };
            fields.skip(4)?;
            Ok(element)
        });
        Ok(Self { lock_sequence, file_id, locks: locks.collect::<Result<_, _>>()? })
    }
}

#[cfg(feature = "client")]
impl Encode for LockRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(length_u16(self.locks.len()));
        out.field(self.lock_sequence);
        out.field(self.file_id);
        for lock in &self.locks {
            out.field(lock.offset);
            out.field(lock.length);
            out.field(lock.flags);
            out.zeros(4);
        }
    }
}

#[cfg(test)]
mod tests;
