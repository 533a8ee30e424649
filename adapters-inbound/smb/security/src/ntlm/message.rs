//! The frame that the three messages have in common (MS-NLMP 2.2.1), and its fields.

use crate::Refusal;

/// The first bytes of each message.
pub(crate) const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// The longest message that is looked at, in bytes. SESSION_SETUP has 16 bits for the length of a token.
const LENGTH_MAX: usize = u16::MAX as usize;

/// True if these bytes are a message of NTLM, without an envelope of SPNEGO.
#[must_use]
pub fn is_ntlm(token: &[u8]) -> bool {
    token.starts_with(&SIGNATURE)
}

/// Checks that a message has the signature, this type, and no more bytes than a token can have.
pub(crate) fn check(message: &[u8], message_type: u32) -> Result<(), Refusal> {
    if message.len() > LENGTH_MAX || !is_ntlm(message) {
        return Err(Refusal::Malformed);
    }
    if u32_at(message, 8)? == message_type { Ok(()) } else { Err(Refusal::OutOfSequence) }
}

/// The four bytes at this offset.
pub(crate) fn u32_at(message: &[u8], offset: usize) -> Result<u32, Refusal> {
    array_at(message, offset).map(u32::from_le_bytes)
}

/// The bytes at this offset, as many as the array has.
pub(crate) fn array_at<const N: usize>(message: &[u8], offset: usize) -> Result<[u8; N], Refusal> {
    message.get(offset..).and_then(|rest| rest.first_chunk()).copied().ok_or(Refusal::Malformed)
}

/// A part of a message's payload, and where it starts.
#[derive(Clone, Copy)]
pub(crate) struct Payload<'a> {
    pub(crate) bytes: &'a [u8],
    /// Bytes from the start of the message; the length of the message for a part without bytes, whose offset means
    /// nothing.
    pub(crate) offset: usize,
}

/// The part of the payload that the eight bytes at `field` point to: length, allocated length, offset.
pub(crate) fn payload_at(message: &[u8], field: usize) -> Result<Payload<'_>, Refusal> {
    let length = usize::from(array_at(message, field).map(u16::from_le_bytes)?);
    if length == 0 {
        return Ok(Payload { bytes: &[], offset: message.len() });
    }
    let offset = usize::try_from(u32_at(message, field.saturating_add(4))?).map_err(|_| Refusal::Malformed)?;
    let bytes = message.get(offset..).and_then(|rest| rest.get(..length)).ok_or(Refusal::Malformed)?;
    Ok(Payload { bytes, offset })
}

/// Text of UTF-16LE. Surrogates without a partner are refused: no account has them in its name.
pub(crate) fn text(bytes: &[u8]) -> Result<String, Refusal> {
    let (units, []) = bytes.as_chunks::<2>() else { return Err(Refusal::Malformed) };
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .map_err(|_| Refusal::Malformed)
}

/// Text as UTF-16LE.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Builds a message: fixed fields in front, which point to a payload behind them.
pub(crate) struct Builder {
    fixed: Vec<u8>,
    payload: Vec<u8>,
    /// Bytes of the fixed fields, once they are all written.
    fixed_length: usize,
}

impl Builder {
    /// Starts a message whose fixed fields take so many bytes, this start included.
    pub(crate) fn new(message_type: u32, fixed_length: usize) -> Self {
        let mut fixed = SIGNATURE.to_vec();
        fixed.extend(message_type.to_le_bytes());
        Self { fixed, payload: Vec::new(), fixed_length }
    }

    /// Appends bytes to the fixed fields.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.fixed.extend(bytes);
    }

    /// Appends a field that points to these bytes, which go to the payload. The caller keeps them under 64 KiB.
    pub(crate) fn put_payload(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes();
        let offset = u32::try_from(self.fixed_length + self.payload.len()).unwrap_or(u32::MAX);
        self.put(&length);
        self.put(&length);
        self.put(&offset.to_le_bytes());
        self.payload.extend(bytes);
    }

    /// The message.
    pub(crate) fn build(mut self) -> Vec<u8> {
        debug_assert_eq!(self.fixed.len(), self.fixed_length);
        self.fixed.append(&mut self.payload);
        self.fixed
    }
}
