//! The header of four bytes before each message on TCP, MS-SMB2 2.1: a zero, and the length in 24 bits, big-endian.

use bytes::{Buf, BytesMut};
use thiserror::Error;

/// The length of a frame's header.
pub const HEADER_SIZE: usize = 4;
/// The longest message that a frame can carry.
pub const LENGTH_MAX: usize = 0x00FF_FFFF;

/// A message in a frame.
const SESSION_MESSAGE: u8 = 0x00;
/// A frame without content, to keep a connection open (RFC 1002 4.3.6).
const SESSION_KEEP_ALIVE: u8 = 0x85;

/// Bytes that can't be continued: the connection is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum FrameError {
    /// The message is longer than the receiver allows.
    #[error("a message of {length} bytes is longer than the limit")]
    TooLong {
        /// The length in the frame's header.
        length: usize,
    },
    /// The first byte names no frame of direct TCP.
    #[error("unknown frame type {0:#04x}")]
    UnknownType(u8),
}

/// The outcome of looking at received bytes.
#[derive(PartialEq, Eq, Debug)]
pub enum Progress {
    /// A whole message, which was taken from the buffer. It may be changed in place, to decrypt it.
    Message(BytesMut),
    /// The frame is incomplete: at least so many further bytes are needed. To reserve them at once makes the message
    /// one allocation.
    Missing(usize),
}

/// Takes one message from the front of the bytes that were received so far, and passes over keep-alive frames.
/// `length_max` bounds a message, so that a client can't make the receiver reserve more.
///
/// # Errors
/// See [`FrameError`]; the bytes are then left as they are.
pub fn decode(received: &mut BytesMut, length_max: usize) -> Result<Progress, FrameError> {
    loop {
        let Some(&[frame_type, high, middle, low]) = received.first_chunk::<HEADER_SIZE>() else {
            return Ok(Progress::Missing(HEADER_SIZE - received.len()));
        };
        if frame_type != SESSION_MESSAGE && frame_type != SESSION_KEEP_ALIVE {
            return Err(FrameError::UnknownType(frame_type));
        }
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if length > length_max {
            return Err(FrameError::TooLong { length });
        }
        if received.len() < HEADER_SIZE + length {
            return Ok(Progress::Missing(HEADER_SIZE + length - received.len()));
        }
        received.advance(HEADER_SIZE);
        let message = received.split_to(length);
        if frame_type == SESSION_MESSAGE {
            return Ok(Progress::Message(message));
        }
    }
}

/// Whether a whole frame has been received, of whatever kind.
#[must_use]
pub fn is_whole(received: &[u8]) -> bool {
    let Some((&[_, high, middle, low], rest)) = received.split_first_chunk::<HEADER_SIZE>() else { return false };
    rest.len() >= u32::from_be_bytes([0, high, middle, low]) as usize
}

/// The header of a frame for so many bytes: of one message, or of all parts of a compound together. None if they are
/// more than [`LENGTH_MAX`].
#[must_use]
pub fn header(length: usize) -> Option<[u8; HEADER_SIZE]> {
    (length <= LENGTH_MAX).then(|| {
        let [_, high, middle, low] = crate::message::length_u32(length).to_be_bytes();
        [SESSION_MESSAGE, high, middle, low]
    })
}

#[cfg(test)]
mod tests;
