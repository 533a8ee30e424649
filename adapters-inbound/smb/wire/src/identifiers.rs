//! Identifiers of 16 bytes.

use std::fmt;

use bytes::BufMut;

use crate::cursor::{Fields, Malformed};
use crate::layout::{Field, wrapped_field};

/// The identifier of an open, MS-SMB2 2.2.14.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileId {
    /// The part that survives a reconnect of a durable open.
    pub persistent: u64,
    /// The part that names the open in its session.
    pub volatile: u64,
}

impl FileId {
    /// Stands for no open (some IOCTLs), or for the open of the part before in a compound of related requests.
    pub const NONE: Self = Self { persistent: u64::MAX, volatile: u64::MAX };
}

impl Field for FileId {
    const SIZE: usize = 16;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self { persistent: fields.read()?, volatile: fields.read()? })
    }

    fn write(self, out: &mut impl BufMut) {
        self.persistent.write(out);
        self.volatile.write(out);
    }
}

/// A globally unique identifier, as it stands on the wire (MS-DTYP 2.3.4.2): of a client, a server or a CREATE.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Guid(pub [u8; 16]);
wrapped_field!(Guid([u8; 16]));

impl fmt::Debug for Guid {
    /// The usual form with dashes; the first three groups are little-endian on the wire.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, node @ ..]) = *self;
        let [first, second, third] = [
            u32::from_le_bytes([a0, a1, a2, a3]),
            u16::from_le_bytes([b0, b1]).into(),
            u16::from_le_bytes([c0, c1]).into(),
        ];
        write!(formatter, "{first:08x}-{second:04x}-{third:04x}-{d0:02x}{d1:02x}-")?;
        node.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The key that a client gives to a lease, MS-SMB2 2.2.13.2.8. It is unique for a client, not for a server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LeaseKey(pub [u8; 16]);
wrapped_field!(LeaseKey([u8; 16]));

impl fmt::Debug for LeaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "LeaseKey({:032x})", u128::from_be_bytes(self.0))
    }
}
