//! Names of interfaces and of transfer syntaxes.

use crate::cursor::{Malformed, Reader, Writer};

/// A UUID and a version (C706 12.6.3.1, p_syntax_id_t).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SyntaxId {
    /// The UUID as it lies in a PDU: its first three fields little-endian.
    pub(crate) uuid: [u8; 16],
    /// The major version in the lower half, the minor one in the upper.
    pub(crate) version: u32,
}

impl SyntaxId {
    /// No syntax: what an answer names that accepts none.
    pub(crate) const NONE: Self = Self { uuid: [0; 16], version: 0 };

    /// Of the parts of a UUID in the order of writing, and a major version.
    pub(crate) const fn new(first: u32, second: u16, third: u16, rest: [u8; 8], version: u32) -> Self {
        let ([a, b, c, d], [e, f], [g, h]) = (first.to_le_bytes(), second.to_le_bytes(), third.to_le_bytes());
        let [i, j, k, l, m, n, o, p] = rest;
        Self { uuid: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], version }
    }

    /// The features that a client offers in the place of a transfer syntax, if it does so
    /// (MS-RPCE 3.3.1.5.3, 2.2.2.14).
    pub(crate) fn bind_time_features(&self) -> Option<u64> {
        const PREFIX: [u8; 8] = [0x2c, 0x1c, 0xb7, 0x6c, 0x12, 0x98, 0x40, 0x45];
        let (prefix, features) = self.uuid.split_first_chunk::<8>()?;
        let features = features.first_chunk().map(|features| u64::from_le_bytes(*features))?;
        (*prefix == PREFIX && self.version == 1).then_some(features)
    }

    pub(crate) fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { uuid: reader.array()?, version: reader.u32()? })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(&self.uuid);
        writer.u32(self.version);
    }
}
