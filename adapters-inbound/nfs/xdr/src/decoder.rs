use bytes::Bytes;

use crate::{Decode, XdrError};

/// A cursor over one record. Nothing that it reads can reach past the record's end.
#[derive(Debug, Clone)]
pub struct Decoder {
    record: Bytes,
    position: usize,
}

impl Decoder {
    /// A decoder at the start of `record`.
    pub fn new(record: Bytes) -> Self {
        Self { record, position: 0 }
    }

    /// The next item.
    pub fn get<T: Decode>(&mut self) -> Result<T, XdrError> {
        T::decode(self)
    }

    /// The number of bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.record.len() - self.position
    }

    /// The bytes not yet read, without reading them.
    pub fn rest(&self) -> &[u8] {
        self.record.get(self.position..).unwrap_or_default()
    }

    /// Refuses a record with bytes behind its last item.
    pub fn finish(self) -> Result<(), XdrError> {
        if self.remaining() == 0 { Ok(()) } else { Err(XdrError::Trailing) }
    }

    /// An unsigned integer.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, XdrError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// An unsigned hyper integer.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, XdrError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A boolean: 0 or 1, nothing else.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, XdrError> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(XdrError::BadEnum),
        }
    }

    /// `N` bytes of fixed-length opaque data, with their padding.
    #[inline]
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        let bytes = self.array()?;
        self.skip_padding(N)?;
        Ok(bytes)
    }

    /// Variable-length opaque data of at most `max` bytes: a slice of the record, not a copy.
    #[inline]
    pub fn opaque(&mut self, max: usize) -> Result<Bytes, XdrError> {
        let (start, end) = self.opaque_range(max)?;
        Ok(self.record.slice(start..end))
    }

    /// Variable-length opaque data of at most `max` bytes, lent.
    #[inline]
    pub fn opaque_slice(&mut self, max: usize) -> Result<&[u8], XdrError> {
        let (start, end) = self.opaque_range(max)?;
        self.record.get(start..end).ok_or(XdrError::Truncated)
    }

    /// A count of items of which there may be `max`, each at least four bytes long.
    ///
    /// The answer never exceeds what the rest of the record could hold, so it may size an allocation.
    pub fn count(&mut self, max: usize) -> Result<usize, XdrError> {
        let count = self.length(max)?;
        if count > self.remaining() / 4 { Err(XdrError::Truncated) } else { Ok(count) }
    }

    fn opaque_range(&mut self, max: usize) -> Result<(usize, usize), XdrError> {
        let length = self.length(max)?;
        if length > self.remaining() {
            return Err(XdrError::Truncated);
        }
        let start = self.position;
        self.position += length;
        self.skip_padding(length)?;
        Ok((start, start + length))
    }

    fn length(&mut self, max: usize) -> Result<usize, XdrError> {
        let length = usize::try_from(self.u32()?).map_err(|_| XdrError::TooLong)?;
        if length > max { Err(XdrError::TooLong) } else { Ok(length) }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        let bytes = self.rest().first_chunk::<N>().ok_or(XdrError::Truncated)?;
        let bytes = *bytes;
        self.position += N;
        Ok(bytes)
    }

    /// Pad bytes should be zero (RFC 4506 section 3), but some clients send what they have there, and no server minds.
    #[inline]
    fn skip_padding(&mut self, length: usize) -> Result<(), XdrError> {
        let padding = length.wrapping_neg() % 4;
        if padding == 0 {
            return Ok(());
        }
        if padding > self.remaining() {
            return Err(XdrError::Truncated);
        }
        self.position += padding;
        Ok(())
    }
}
