//! The lease context, which request and response share: MS-SMB2 2.2.13.2.8, 2.2.13.2.10, 2.2.14.2.10 and 2.2.14.2.11.

use bytes::Bytes;

use crate::cursor::{Fields, Malformed, Writer};
use crate::identifiers::LeaseKey;
use crate::layout::bit_set;

bit_set! {
    /// The caching that a lease allows.
    pub struct LeaseState(u32) {
        /// Of reads.
        READ_CACHING = 0x0000_0001,
        /// Of opens that the client has closed.
        HANDLE_CACHING = 0x0000_0002,
        /// Of writes.
        WRITE_CACHING = 0x0000_0004,
    }
}

bit_set! {
    /// The flags of a lease context.
    pub struct LeaseFlags(u32) {
        /// In a response: the lease is being broken.
        BREAK_IN_PROGRESS = 0x0000_0002,
        /// In version 2: the parent's lease key is valid.
        PARENT_LEASE_KEY_SET = 0x0000_0004,
    }
}

/// A lease context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The lease.
    pub key: LeaseKey,
    /// The state that is wanted or granted.
    pub state: LeaseState,
    /// Flags.
    pub flags: LeaseFlags,
    /// The fields that only version 2 has.
    pub version_2: Option<LeaseVersion2>,
}

/// The fields of a lease that only version 2 has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeaseVersion2 {
    /// The lease of the directory that the file is in, if the flag is set.
    pub parent_key: LeaseKey,
    /// A number that grows with each change of the state.
    pub epoch: u16,
}

impl Lease {
    const SIZE_1: usize = 32;
    const SIZE_2: usize = 52;

    /// Reads the context's data. Its length tells the version.
    ///
    /// # Errors
    /// The data has the length of neither version.
    pub fn decode(data: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(data);
        let key = fields.read()?;
        let state = fields.read()?;
        let flags = fields.read()?;
        fields.skip(8)?;
        let version_2 = match data.len() {
            Self::SIZE_1 => None,
            Self::SIZE_2 => Some(LeaseVersion2 { parent_key: fields.read()?, epoch: fields.read()? }),
            _ => return Err(Malformed),
        };
        Ok(Self { key, state, flags, version_2 })
    }

    /// The context's data.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::SIZE_2);
        writer.field(self.key);
        writer.field(self.state);
        writer.field(self.flags);
        writer.zeros(8);
        if let Some(version_2) = self.version_2 {
            writer.field(version_2.parent_key);
            writer.field(version_2.epoch);
            writer.zeros(2);
        }
        writer.into_bytes().freeze()
    }
}

#[cfg(test)]
mod tests;
