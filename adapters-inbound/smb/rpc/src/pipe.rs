//! An open named pipe.

use std::collections::VecDeque;

use bytes::Bytes;
use thiserror::Error;

use crate::association::Association;
use crate::interface::Interface;
use crate::pdu::Framer;
use crate::server::Server;

/// The bytes that may wait for the client to read before the server takes no more requests. A client has one call
/// under way, so that one that gets here does not read at all.
///
/// Less than this and one response ([`crate::MAX_RESPONSE_BYTES`]) are in memory for a pipe.
pub const MAX_UNREAD_BYTES: usize = 64 * 1024;

/// The server's end of a named pipe that a client has open.
///
/// The pipe is in message mode (MS-FSA 2.1.5.1): each PDU of the server is a message, and a read never returns bytes of
/// two. Each call is answered within the write of its last byte, so that there is nothing to wait for besides the
/// client.
#[derive(Debug)]
pub struct Pipe {
    framer: Framer,
    association: Association,
    /// Messages that the client hasn't read, the first of them maybe in part. None is empty.
    unread: VecDeque<Bytes>,
    /// Whether the association has ended, so that nothing can be written any more.
    closed: bool,
}

/// Bytes that a client reads from a pipe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// A message, or the part of one that fits.
    pub bytes: Bytes,
    /// Whether the message has more bytes, which the next read returns: STATUS_BUFFER_OVERFLOW. Further messages don't
    /// count.
    pub overflow: bool,
}

/// Why the pipe takes or gives nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PipeError {
    /// The association has ended and all is read: STATUS_PIPE_DISCONNECTED.
    #[error("the pipe is disconnected")]
    Disconnected,
    /// The client has to read first: STATUS_PIPE_BUSY.
    #[error("the pipe holds data that the client has not read")]
    Busy,
}

impl Pipe {
    /// Opens the pipe of this name, or `None` if there is none: STATUS_OBJECT_NAME_NOT_FOUND.
    ///
    /// The name is that of the CREATE request on `IPC$`, `srvsvc` or `wkssvc` in any case. A backslash or `\PIPE\` in
    /// front of it is ignored.
    #[must_use]
    pub fn open(name: &str) -> Option<Self> {
        Interface::of_pipe(name).map(|interface| Self {
            framer: Framer::default(),
            association: Association::new(interface),
            unread: VecDeque::new(),
            closed: false,
        })
    }

    /// Takes all of the bytes of a WRITE, and answers the calls that they complete. `server` is what those calls see.
    ///
    /// # Errors
    /// - [`PipeError::Disconnected`] if the association ended earlier. The write that ends it succeeds, for the answer
    ///   to it is to be read.
    /// - [`PipeError::Busy`] if [`MAX_UNREAD_BYTES`] or more are unread. Nothing was taken.
    pub fn write(&mut self, mut bytes: &[u8], server: &Server) -> Result<(), PipeError> {
        if self.closed {
            return Err(PipeError::Disconnected);
        }
        if self.is_full() {
            return Err(PipeError::Busy);
        }
        while !self.closed {
            match self.framer.next_pdu(&mut bytes) {
                // Calls at the front of this write were answered, so that it can't be refused as a whole.
                Ok(Some(_)) if self.is_full() => self.closed = true,
                Ok(Some((header, body))) => {
                    let answer = self.association.receive(header, body, server);
                    self.unread.extend(answer.fragments);
                    self.closed = answer.closes;
                }
                Ok(None) => break,
                Err(_) => self.closed = true,
            }
        }
        Ok(())
    }

    /// Answers a READ of up to `max` bytes. `None` means that the read has to wait until a later write is answered.
    ///
    /// # Errors
    /// [`PipeError::Disconnected`] if the association has ended and nothing is left to read.
    pub fn read(&mut self, max: usize) -> Result<Option<Reply>, PipeError> {
        let Some(message) = self.unread.front_mut() else {
            return if self.closed { Err(PipeError::Disconnected) } else { Ok(None) };
        };
        let bytes = message.split_to(max.min(message.len()));
        let overflow = !message.is_empty();
        if !overflow {
            self.unread.pop_front();
        }
        Ok(Some(Reply { bytes, overflow }))
    }

    /// Answers FSCTL_PIPE_TRANSCEIVE (MS-FSCC 2.3.50): a write, and a read of up to `max` bytes of the answer.
    ///
    /// # Errors
    /// Those of [`Pipe::write`] and [`Pipe::read`], and [`PipeError::Busy`] if anything is unread.
    pub fn transceive(&mut self, bytes: &[u8], max: usize, server: &Server) -> Result<Option<Reply>, PipeError> {
        if !self.closed && !self.unread.is_empty() {
            return Err(PipeError::Busy);
        }
        self.write(bytes, server)?;
        self.read(max)
    }

    /// The bytes that the client may read now, for FSCTL_PIPE_PEEK and FilePipeLocalInformation (MS-FSCC 2.4.32).
    #[must_use]
    pub fn unread_bytes(&self) -> usize {
        self.unread.iter().map(Bytes::len).sum()
    }

    fn is_full(&self) -> bool {
        self.unread_bytes() >= MAX_UNREAD_BYTES
    }
}

#[cfg(test)]
mod tests;
