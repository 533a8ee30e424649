//! Several messages in one frame: requests are split, responses are chained, MS-SMB2 3.3.5.2.7 and 3.3.4.1.3.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::header::Header;
use crate::message::{OutgoingMessage, length_u32};

/// One message of a compound, or the only one of its frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The header, as it stands at the start of the bytes.
    pub header: Header,
    /// The whole message with its header and its padding: these bytes were signed, and offsets count from here.
    pub bytes: Bytes,
}

/// The messages of a frame, which all have a readable header. It iterates over them, without allocating.
#[derive(Clone, Debug)]
pub struct Compound {
    rest: Bytes,
    count: usize,
}

impl Compound {
    /// Finds the messages of a frame: at least one, and at most `count_max`.
    ///
    /// # Errors
    /// A header can't be read, a message does not start on 8 bytes from the first, or there are more than `count_max`:
    /// the connection is to be closed.
    pub fn decode(frame: Bytes, count_max: usize) -> Result<Self, Malformed> {
        let mut rest = frame.as_ref();
        let mut count = 0;
        while count == 0 || !rest.is_empty() {
            if count == count_max {
                return Err(Malformed);
            }
            let header = Header::decode(rest)?;
            rest = rest.get(message_length(&header, rest.len())?..).ok_or(Malformed)?;
            count += 1;
        }
        Ok(Self { rest: frame, count })
    }
}

impl Iterator for Compound {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let header = Header::decode(&self.rest).ok()?;
        let length = message_length(&header, self.rest.len()).ok()?;
        self.count = self.count.saturating_sub(1);
        Some(Message { header, bytes: self.rest.split_to(length) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Compound {}

/// How much of the `available` bytes belongs to the message with this header. At most that many.
fn message_length(header: &Header, available: usize) -> Result<usize, Malformed> {
    if header.next_command == 0 {
        return Ok(available);
    }
    let length = usize::try_from(header.next_command).map_err(|_| Malformed)?;
    let fits = length >= Header::SIZE && length.is_multiple_of(8) && length <= available;
    fits.then_some(length).ok_or(Malformed)
}

/// Chains responses for one frame: sets NextCommand in all but the last, and pads every one to 8 bytes. A single
/// response stays as it is, without padding. Afterwards each is signed on its own, with its padding; then nothing of
/// it may change.
pub fn link(responses: &mut [OutgoingMessage]) {
    if responses.len() < 2 {
        return;
    }
    for response in responses.iter_mut() {
        response.pad_to_8();
    }
    if let Some((_last, others)) = responses.split_last_mut() {
        for response in others {
            response.set_next_command(length_u32(response.length()));
        }
    }
}

#[cfg(test)]
mod tests;
