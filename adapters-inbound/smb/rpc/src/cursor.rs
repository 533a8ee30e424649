//! A reader and a writer of little-endian fields. Neither trusts a length, and neither can panic.

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

/// Bytes from a client that do not hold what they say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the message is shorter than its fields, or a field points outside of it")]
pub(crate) struct Malformed;

/// Reads fields from the front of a buffer, without copying what it returns.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    bytes: Bytes,
    /// Bytes read so far, from where the buffer began.
    position: usize,
}

impl Reader {
    /// A reader at the beginning of these bytes.
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes that were read so far.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Bytes that are left.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next bytes, as a part of the same allocation.
    pub(crate) fn take(&mut self, count: usize) -> Result<Bytes, Malformed> {
        if count > self.bytes.len() {
            return Err(Malformed);
        }
        self.position += count;
        Ok(self.bytes.split_to(count))
    }

    /// Passes over bytes that mean nothing.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.take(count).map(drop)
    }

    /// The next bytes, as many as the array has.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.as_ref().try_into().map_err(|_| Malformed)
    }

    /// One byte.
    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes, little-endian.
    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Text of UTF-16LE. An odd number of bytes, or a surrogate without its partner, is refused: no name on a share can
/// hold it.
pub(crate) fn utf16(bytes: &[u8]) -> Result<String, Malformed> {
    if !bytes.len().is_multiple_of(2) {
        return Err(Malformed);
    }
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| Malformed)
}

/// Appends little-endian fields, and fills in the ones that are known later.
#[derive(Default, Debug)]
pub(crate) struct Writer {
    bytes: BytesMut,
}

impl Writer {
    /// A writer with room for so many bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: BytesMut::with_capacity(capacity) }
    }

    /// Bytes that were written so far.
    pub(crate) fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Appends bytes.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.put_slice(bytes);
    }

    /// Appends zeros.
    pub(crate) fn zeros(&mut self, count: usize) {
        self.bytes.put_bytes(0, count);
    }

    /// Appends zeros until the position is a multiple of `alignment`.
    pub(crate) fn align(&mut self, alignment: usize) {
        self.zeros(self.position().next_multiple_of(alignment) - self.position());
    }

    /// Appends one byte.
    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.put_u8(value);
    }

    /// Appends two bytes, little-endian.
    pub(crate) fn u16(&mut self, value: u16) {
        self.bytes.put_u16_le(value);
    }

    /// Appends four bytes, little-endian.
    pub(crate) fn u32(&mut self, value: u32) {
        self.bytes.put_u32_le(value);
    }

    /// Appends eight bytes, little-endian.
    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.put_u64_le(value);
    }

    /// Appends text as UTF-16LE, without an end mark.
    pub(crate) fn utf16(&mut self, text: &str) {
        for unit in text.encode_utf16() {
            self.u16(unit);
        }
    }

    /// Writes four bytes, little-endian, over what stands at `position`. A position outside changes nothing.
    pub(crate) fn patch_u32(&mut self, position: usize, value: u32) {
        if let Some(place) = self.bytes.get_mut(position..).and_then(|rest| rest.first_chunk_mut()) {
            *place = value.to_le_bytes();
        }
    }

    /// All bytes that were written.
    pub(crate) fn into_bytes(self) -> BytesMut {
        self.bytes
    }
}
