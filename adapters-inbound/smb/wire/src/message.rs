//! A message's body in both directions, and the outgoing message: a head and the payload behind it.

use bytes::{Bytes, BytesMut};

use crate::cursor::{Malformed, Writer};
use crate::header::Header;
use crate::layout::Field;

/// A body that can be read from a message.
pub trait Decode: Sized {
    /// Reads the body of one message: all bytes from the first of its header to the last of its padding.
    ///
    /// # Errors
    /// StructureSize is not the command's, the message is too short, or a buffer lies outside of it. A server answers
    /// STATUS_INVALID_PARAMETER (MS-SMB2 3.3.5.2.6).
    fn decode(message: &Bytes) -> Result<Self, Malformed>;
}

/// A body that can be written to a message.
pub trait Encode {
    /// Appends the body to a message that holds its header and nothing else. Offsets count from that header.
    fn encode(&self, out: &mut OutgoingMessage);
}

/// One encoded message: a head of header, fixed part and small buffers, and the payload that follows it without having
/// been copied. The message is the concatenation of its [`Self::segments`].
#[derive(Debug)]
pub struct OutgoingMessage {
    head: Writer,
    payload: Vec<Bytes>,
}

impl OutgoingMessage {
    /// Buffers up to this length are copied into the head. A copy of that size is cheaper than one more segment in
    /// vectored writes and signing. READ data is never copied.
    pub const COPIED_MAX: usize = 1024;

    /// Most heads are below this; a larger one grows.
    const HEAD_CAPACITY: usize = 256;

    /// Puts a header and a body together.
    #[must_use]
    pub fn new(header: &Header, body: &impl Encode) -> Self {
        let mut message = Self { head: Writer::with_capacity(Self::HEAD_CAPACITY), payload: Vec::new() };
        message.head.put(&header.encode());
        body.encode(&mut message);
        message
    }

    /// A message whose bytes are all in one buffer already.
    pub(crate) fn contiguous(bytes: BytesMut) -> Self {
        Self { head: Writer::continuing(bytes), payload: Vec::new() }
    }

    /// All bytes of the message.
    #[must_use]
    pub fn length(&self) -> usize {
        self.head.position() + self.payload.iter().map(Bytes::len).sum::<usize>()
    }

    /// The bytes before the payload: the header at least.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.as_slice()
    }

    /// The payload that follows the head.
    #[must_use]
    pub fn payload(&self) -> &[Bytes] {
        &self.payload
    }

    /// The bytes of the message in order: what a signature covers, and what is sent.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.head()).chain(self.payload.iter().map(AsRef::as_ref))
    }

    /// Sets the header's signature, MS-SMB2 3.1.4.1. It was computed with zeros in its place, over the message as
    /// [`crate::compound::link`] left it, and with the header's SIGNED flag set.
    pub fn set_signature(&mut self, signature: [u8; 16]) {
        self.head.patch(Header::SIGNATURE_OFFSET, &signature);
    }

    /// Head and payload, to be sent without a copy.
    #[must_use]
    pub fn into_parts(self) -> (BytesMut, Vec<Bytes>) {
        (self.head.into_bytes(), self.payload)
    }

    /// The message in one buffer, for encryption in place. It copies the payload, if there is one.
    #[must_use]
    pub fn into_contiguous(self) -> BytesMut {
        let mut bytes = self.head.into_bytes();
        bytes.reserve(self.payload.iter().map(Bytes::len).sum());
        for piece in &self.payload {
            bytes.extend_from_slice(piece);
        }
        bytes
    }

    /// Makes the length a multiple of 8, with zeros.
    pub(crate) fn pad_to_8(&mut self) {
        static ZEROS: [u8; 8] = [0; 8];
        let padding = self.length().next_multiple_of(8) - self.length();
        if self.payload.is_empty() {
            self.head.zeros(padding);
        } else if padding > 0 {
            self.payload.push(Bytes::from_static(&ZEROS).slice(..padding));
        }
    }

    pub(crate) fn set_next_command(&mut self, offset: u32) {
        self.head.patch_u32(Header::NEXT_COMMAND_OFFSET, offset);
    }

    pub(crate) fn field<T: Field>(&mut self, value: T) {
        self.head.field(value);
    }

    pub(crate) fn zeros(&mut self, count: usize) {
        self.head.zeros(count);
    }

    /// Appends bytes to the head.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.head.put(bytes);
    }

    /// The writer of the head, for nested structures.
    pub(crate) fn head_writer(&mut self) -> &mut Writer {
        &mut self.head
    }

    /// Appends a buffer as the last thing of the message: copied if it is small, else as payload.
    pub(crate) fn last_buffer(&mut self, buffer: &Bytes) {
        if buffer.len() <= Self::COPIED_MAX {
            self.head.put(buffer);
        } else {
            self.payload.push(buffer.clone());
        }
    }

    /// Appends payload as the last thing of the message, never copied.
    pub(crate) fn last_pieces(&mut self, pieces: &[Bytes]) {
        self.payload.extend(pieces.iter().filter(|piece| !piece.is_empty()).cloned());
    }
}

/// A length as the wire has it. A longer one can't be sent anyway: a frame ends at 16 MiB.
pub(crate) fn length_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A length as the wire has it, of things that the server itself keeps short.
pub(crate) fn length_u16(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
