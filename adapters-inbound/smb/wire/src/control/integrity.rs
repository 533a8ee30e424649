use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

/// The answer to FSCTL_GET_INTEGRITY_INFORMATION.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Integrity {
    /// 0: no checksums; 1: CRC-32; 2: CRC-64.
    pub checksum_algorithm: u16,
    /// 1: checksums aren't enforced.
    pub flags: u32,
    /// Bytes that have one checksum.
    pub checksum_chunk_bytes: u32,
    /// Bytes of a cluster.
    pub cluster_bytes: u32,
}

impl Integrity {
    /// Bytes of the answer.
    pub const LENGTH: usize = 16;

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u16(self.checksum_algorithm);
        writer.zeros(2);
        writer.u32(self.flags);
        writer.u32(self.checksum_chunk_bytes);
        writer.u32(self.cluster_bytes);
        writer.into_bytes().freeze()
    }
}

/// FSCTL_SET_INTEGRITY_INFORMATION.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetIntegrity {
    /// As [`Integrity::checksum_algorithm`]; 0xFFFF leaves it as it is.
    pub checksum_algorithm: u16,
    /// As [`Integrity::flags`].
    pub flags: u32,
}

impl SetIntegrity {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let checksum_algorithm = reader.u16()?;
        reader.skip(2)?;
        Ok(Self { checksum_algorithm, flags: reader.u32()? })
    }
}
