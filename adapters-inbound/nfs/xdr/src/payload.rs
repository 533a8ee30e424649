use bytes::Bytes;

use crate::{Decode, Decoder, Encode, Encoder, XdrError};

/// Opaque data in several pieces, as a cache holds them; one item on the wire.
#[derive(Debug, Clone, Default)]
pub struct Payload(pub Vec<Bytes>);

impl Payload {
    /// The length of all pieces together.
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(vec![bytes])
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |payload: &Self| payload.0.concat();
        bytes(self) == bytes(other)
    }
}

impl Eq for Payload {}

impl Decode for Payload {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        Ok(decoder.opaque(usize::MAX)?.into())
    }
}

impl Encode for Payload {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_opaque_segments(&self.0);
    }
}

/// Opaque data that are lent for writing: a name out of a listing, for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpaqueSlice<'a>(pub &'a [u8]);

impl Encode for OpaqueSlice<'_> {
    fn encode(&self, encoder: &mut Encoder) {
        encoder.put_opaque(self.0);
    }
}
