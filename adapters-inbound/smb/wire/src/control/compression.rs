use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

/// Not compressed.
pub const COMPRESSION_FORMAT_NONE: u16 = 0;
/// The only format of NTFS. A request may name it as 1 (the default) too.
pub const COMPRESSION_FORMAT_LZNT1: u16 = 2;

/// The answer to FSCTL_GET_COMPRESSION, and FSCTL_SET_COMPRESSION.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compression {
    /// For instance [`COMPRESSION_FORMAT_NONE`].
    pub format: u16,
}

impl Compression {
    /// Bytes of the answer.
    pub const LENGTH: usize = 2;

    /// Decodes FSCTL_SET_COMPRESSION.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        Ok(Self { format: Reader::new(bytes.clone()).u16()? })
    }

    /// Encodes the answer to FSCTL_GET_COMPRESSION.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u16(self.format);
        writer.into_bytes().freeze()
    }
}
