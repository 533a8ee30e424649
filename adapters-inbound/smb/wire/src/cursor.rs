//! A reader and a writer of little-endian fields. Neither trusts a length, and neither can panic.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::layout::Field;

/// Bytes from a client that do not hold what they say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the message is shorter than its fields, or a field points outside of it")]
pub struct Malformed;

/// Reads fields from the front of a buffer, without copying what it returns.
#[derive(Clone, Debug)]
pub struct Reader {
    bytes: Bytes,
    /// Bytes read so far, from where the buffer began.
    position: usize,
}

impl Reader {
    /// A reader at the begin of these bytes.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes that were read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes that are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// The next bytes, as a part of the same allocation.
    pub fn take(&mut self, count: usize) -> Result<Bytes, Malformed> {
        if count > self.bytes.len() {
            return Err(Malformed);
        }
        self.position += count;
        Ok(self.bytes.split_to(count))
    }

    /// Passes over bytes that mean nothing.
    pub fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        if count > self.bytes.len() {
            return Err(Malformed);
        }
        self.position += count;
        self.bytes.advance(count);
        Ok(())
    }

    /// The next bytes, as many as the array has. Unlike [`Self::take`] it counts no reference to the allocation.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let array = *self.bytes.first_chunk().ok_or(Malformed)?;
        self.skip(N)?;
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Reads fields from the front of borrowed bytes: for fixed parts, where no field is kept as [`Bytes`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Fields from the start of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next bytes, as many as the array has.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or(Malformed)?;
        self.bytes = rest;
        Ok(*array)
    }

    /// Passes over bytes that mean nothing.
    pub fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.bytes = self.bytes.get(count..).ok_or(Malformed)?;
        Ok(())
    }

    /// The next field.
    pub(crate) fn read<T: Field>(&mut self) -> Result<T, Malformed> {
        T::read(self)
    }
}

/// A range of a buffer by offset and length, if all of it is inside.
pub fn range(bytes: &Bytes, offset: u64, length: u64) -> Result<Bytes, Malformed> {
    let start = usize::try_from(offset).map_err(|_| Malformed)?;
    let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).ok_or(Malformed)?;
    if end > bytes.len() { Err(Malformed) } else { Ok(bytes.slice(start..end)) }
}

/// Text of UTF-16LE. An odd number of bytes, or a surrogate without its partner, is refused: no name on a share can
/// hold it.
pub fn utf16(bytes: &[u8]) -> Result<String, Malformed> {
    if !bytes.len().is_multiple_of(2) {
        return Err(Malformed);
    }
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| Malformed)
}

/// Appends little-endian fields, and fills in the ones that are known later.
#[derive(Default, Debug)]
pub struct Writer {
    bytes: BytesMut,
}

impl Writer {
    /// A writer with room for so many bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: BytesMut::with_capacity(capacity) }
    }

    /// A writer that continues these bytes.
    #[must_use]
    pub fn continuing(bytes: BytesMut) -> Self {
        Self { bytes }
    }

    /// Bytes that were written so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.put_slice(bytes);
    }

    /// Appends zeros.
    pub fn zeros(&mut self, count: usize) {
        self.bytes.put_bytes(0, count);
    }

    /// Appends zeros until the position is a multiple of `alignment`.
    pub fn align(&mut self, alignment: usize) {
        self.zeros(self.position().next_multiple_of(alignment) - self.position());
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.put_u8(value);
    }

    /// Appends two bytes, little-endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes.put_u16_le(value);
    }

    /// Appends four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes.put_u32_le(value);
    }

    /// Appends eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes.put_u64_le(value);
    }

    /// Appends text as UTF-16LE, without an end mark.
    pub fn utf16(&mut self, text: &str) {
        for unit in text.encode_utf16() {
            self.u16(unit);
        }
    }

    /// Appends one field.
    pub(crate) fn field(&mut self, value: impl Field) {
        value.write(&mut self.bytes);
    }

    /// Writes four bytes, little-endian, over what stands at `position`. A position outside changes nothing.
    pub fn patch_u32(&mut self, position: usize, value: u32) {
        self.patch(position, &value.to_le_bytes());
    }

    /// Writes bytes over what stands at `position`. If they don't fit there, nothing changes.
    pub fn patch(&mut self, position: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(position..).and_then(|rest| rest.get_mut(..bytes.len())) {
            place.copy_from_slice(bytes);
        }
    }

    /// The bytes that were written so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Cuts off what was written behind `position`.
    pub fn truncate(&mut self, position: usize) {
        self.bytes.truncate(position);
    }

    /// All bytes that were written.
    #[must_use]
    pub fn into_bytes(self) -> BytesMut {
        self.bytes
    }
}
