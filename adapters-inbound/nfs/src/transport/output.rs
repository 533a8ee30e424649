use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use dittofs_transport::Charge;
use dittofs_xdr::Encoded;
use smallvec::SmallVec;
use tokio::io::AsyncWrite;

/// The replies that a client hasn't taken yet.
///
/// Short pieces are gathered in one buffer, so that a batch of small replies is one piece; long ones stay what they are.
#[derive(Default)]
pub(crate) struct Output {
    queue: VecDeque<Bytes>,
    gathered: BytesMut,
    bytes: usize,
    /// Room for the bytes, and a little more while replies are being added.
    charge: Option<Charge>,
}

/// Pieces from this length on aren't copied. A copy of less than a page is taken to cost less than one more place in
/// the vector that the kernel walks.
const PIECE_BYTES_MIN: usize = 4096;
/// So that what was gathered is sent before the buffer has to grow much.
const GATHERED_BYTES_MAX: usize = 64 << 10;
/// Pieces in one write: nearly two replies of a MiB, in frames of 32 KiB. They are on the stack, 16 bytes each; the
/// kernel allows 1,024.
const PIECES_MAX: usize = 64;

impl Output {
    /// Adds a message, with the room that was made for it.
    pub(crate) fn push(&mut self, message: Encoded, charge: Charge) {
        self.bytes += message.len();
        match &mut self.charge {
            Some(all) => all.merge(charge),
            None => self.charge = Some(charge),
        }
        if message.head.len() < PIECE_BYTES_MIN {
            self.gather(&message.head);
        } else {
            self.push_piece(message.head.freeze());
        }
        for piece in message.rest {
            if piece.len() < PIECE_BYTES_MIN {
                self.gather(&piece);
            } else {
                self.push_piece(piece);
            }
        }
    }

    /// The bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes once, as much as the socket takes, and answers how much that was.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        socket: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<usize>> {
        let mut pieces: SmallVec<[IoSlice<'_>; PIECES_MAX]> = SmallVec::new();
        pieces.extend(self.queue.iter().take(PIECES_MAX).map(|piece| IoSlice::new(piece)));
        if pieces.len() < PIECES_MAX && !self.gathered.is_empty() {
            pieces.push(IoSlice::new(&self.gathered));
        }
        let written = ready!(Pin::new(socket).poll_write_vectored(context, &pieces))?;
        drop(pieces);
        self.take(written);
        Poll::Ready(Ok(written))
    }

    /// Gives back the room that its messages don't need any more.
    pub(crate) fn shrink_charge(&mut self) {
        match &mut self.charge {
            Some(_) if self.bytes == 0 => self.charge = None,
            Some(charge) => charge.set(self.bytes as u64),
            None => {}
        }
    }

    /// Forgets everything: there is nobody to send it to.
    pub(crate) fn discard(&mut self) {
        *self = Self::default();
    }

    fn gather(&mut self, bytes: &[u8]) {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED_BYTES_MAX {
            self.queue.push_back(self.gathered.split().freeze());
        }
    }

    fn push_piece(&mut self, piece: Bytes) {
        if !self.gathered.is_empty() {
            self.queue.push_back(self.gathered.split().freeze());
        }
        self.queue.push_back(piece);
    }

    fn take(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(piece) = self.queue.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                return;
            }
            written -= piece.len();
            self.queue.pop_front();
        }
        self.gathered.advance(written);
    }
}
