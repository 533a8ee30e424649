//! Messages that tests build by hand, field by field at the offsets of the standard.

use bytes::Bytes;

use crate::header::{Command, Header};
use crate::message::{Encode, OutgoingMessage};

/// A message with a header of zeros. Offsets count from the start of the body.
pub(crate) struct Sample {
    bytes: Vec<u8>,
}

impl Sample {
    /// A body of so many zeros.
    pub(crate) fn body(size: usize) -> Self {
        Self { bytes: vec![0; Header::SIZE + size] }
    }

    /// Writes bytes at an offset, behind the end too.
    pub(crate) fn put(mut self, offset: usize, bytes: &[u8]) -> Self {
        let start = Header::SIZE + offset;
        let end = start + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(bytes);
        self
    }

    pub(crate) fn u8(self, offset: usize, value: u8) -> Self {
        self.put(offset, &[value])
    }

    pub(crate) fn u16(self, offset: usize, value: u16) -> Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub(crate) fn u32(self, offset: usize, value: u32) -> Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub(crate) fn u64(self, offset: usize, value: u64) -> Self {
        self.put(offset, &value.to_le_bytes())
    }

    /// The same, cut off behind so many bytes of the body.
    pub(crate) fn truncate(mut self, size: usize) -> Self {
        self.bytes.truncate(Header::SIZE + size);
        self
    }

    pub(crate) fn message(self) -> Bytes {
        Bytes::from(self.bytes)
    }

    /// The bytes of the body.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.bytes[Header::SIZE..].to_vec()
    }
}

/// The bytes of an encoded body.
pub(crate) fn encoded(body: &impl Encode) -> Vec<u8> {
    let message = OutgoingMessage::new(&Header::request(Command::ECHO, 0), body);
    message.into_contiguous()[Header::SIZE..].to_vec()
}

/// UTF-16LE bytes of a text.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
