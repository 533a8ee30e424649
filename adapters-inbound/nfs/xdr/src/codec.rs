use bytes::Bytes;

use crate::{Decoder, Encoder, XdrError};

/// A type that can be read from XDR.
pub trait Decode: Sized {
    /// Reads one value. After an error the decoder's position is unspecified.
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError>;
}

/// A counted type that can be read from XDR under a bound: the derive's `#[xdr(max = N)]`.
pub trait DecodeMax: Sized {
    /// Reads one value of at most `max` bytes or items, and refuses a longer one before it allocates.
    fn decode_max(decoder: &mut Decoder, max: usize) -> Result<Self, XdrError>;
}

/// A type that can be written as XDR. Writing can't fail: what can't be on the wire can't be in the type.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, encoder: &mut Encoder);
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, encoder: &mut Encoder) {
        (**self).encode(encoder);
    }
}

impl Decode for u32 {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        decoder.u32()
    }
}

impl Encode for u32 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_u32(*self);
    }
}

impl Decode for i32 {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        Ok(decoder.u32()?.cast_signed())
    }
}

impl Encode for i32 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_u32(self.cast_unsigned());
    }
}

impl Decode for u64 {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        decoder.u64()
    }
}

impl Encode for u64 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_u64(*self);
    }
}

impl Decode for i64 {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        Ok(decoder.u64()?.cast_signed())
    }
}

impl Encode for i64 {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_u64(self.cast_unsigned());
    }
}

impl Decode for bool {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        decoder.bool()
    }
}

impl Encode for bool {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_bool(*self);
    }
}

impl Decode for () {
    fn decode(_: &mut Decoder) -> Result<Self, XdrError> {
        Ok(())
    }
}

impl Encode for () {
    fn encode(&self, _: &mut Encoder) {}
}

/// Fixed-length opaque data.
impl<const N: usize> Decode for [u8; N] {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        decoder.fixed()
    }
}

impl<const N: usize> Encode for [u8; N] {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_fixed(self);
    }
}

/// Optional data (RFC 4506 section 4.19).
impl<T: Decode> Decode for Option<T> {
    #[inline]
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        if decoder.bool()? { T::decode(decoder).map(Some) } else { Ok(None) }
    }
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_bool(self.is_some());
        if let Some(value) = self {
            value.encode(encoder);
        }
    }
}

/// Variable-length opaque data, bounded by the record only: taking a slice costs the same at any length.
impl Decode for Bytes {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        decoder.opaque(usize::MAX)
    }
}

impl DecodeMax for Bytes {
    fn decode_max(decoder: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        decoder.opaque(max)
    }
}

impl Encode for Bytes {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_opaque_bytes(self);
    }
}

impl<T: Decode> DecodeMax for Vec<T> {
    fn decode_max(decoder: &mut Decoder, max: usize) -> Result<Self, XdrError> {
        let count = decoder.count(max)?;
        // Items grow the vector as they are read: a count alone reserves little.
        let mut items = Self::with_capacity(count.min(64));
        for _ in 0..count {
            items.push(T::decode(decoder)?);
        }
        Ok(items)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_length(self.len());
        for item in self {
            item.encode(encoder);
        }
    }
}
