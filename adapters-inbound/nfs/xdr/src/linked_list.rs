use crate::{Decode, Decoder, Encode, Encoder, XdrError};

/// A list in which a boolean before each entry says whether one follows (RFC 4506 section 4.19, `*next`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedList<T>(pub Vec<T>);

impl<T: Decode> Decode for LinkedList<T> {
    fn decode(decoder: &mut Decoder) -> Result<Self, XdrError> {
        let mut entries = Vec::new();
        while decoder.bool()? {
            entries.push(T::decode(decoder)?);
        }
        Ok(Self(entries))
    }
}

impl<T: Encode> Encode for LinkedList<T> {
    fn encode(&self, encoder: &mut Encoder) {
        for entry in &self.0 {
            encoder.put_bool(true);
            entry.encode(encoder);
        }
        encoder.put_bool(false);
    }
}
