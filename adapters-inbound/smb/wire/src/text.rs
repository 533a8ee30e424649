//! Text in messages: UTF-16LE without an end mark.

use std::fmt;

use bytes::Bytes;

use crate::cursor::{Malformed, Writer, utf16};

/// UTF-16LE text as it came. It may hold surrogates without a partner, for which a server has another status than for
/// a malformed message.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Utf16Text {
    bytes: Bytes,
}

impl Utf16Text {
    /// Takes text from a message.
    ///
    /// # Errors
    /// The number of bytes is odd.
    pub fn new(bytes: Bytes) -> Result<Self, Malformed> {
        if bytes.len().is_multiple_of(2) { Ok(Self { bytes }) } else { Err(Malformed) }
    }

    /// The text's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The text in Rust's form.
    ///
    /// # Errors
    /// It holds a surrogate without its partner. For the name of a file that is STATUS_OBJECT_NAME_INVALID.
    pub fn decode(&self) -> Result<String, Malformed> {
        utf16(&self.bytes)
    }
}

impl From<&str> for Utf16Text {
    fn from(text: &str) -> Self {
        let mut writer = Writer::with_capacity(text.len() * 2);
        writer.utf16(text);
        Self { bytes: writer.into_bytes().freeze() }
    }
}

impl fmt::Debug for Utf16Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        let lossy: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        fmt::Debug::fmt(&lossy, formatter)
    }
}

#[cfg(test)]
mod tests;
