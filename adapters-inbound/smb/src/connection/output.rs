//! The answers that a client has not taken yet.

use std::{collections::VecDeque, io::IoSlice, time::Duration};

use bytes::{Buf, Bytes};
use dittofs_transport::{Account, Charge};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{FRAMES_AT_ONCE, pace::Pace};
use crate::{calls::Broken, counts::Requests, link::Frame};

/// Pieces in one write; the kernel allows 1,024, and they are on the stack for a moment.
const PIECES_MAX: usize = 64;

/// From so many bytes on a write costs by its bytes alone.
const WRITE_BYTES: usize = 64 << 10;

/// Answers on their way, in their order.
pub(super) struct Output {
    frames: VecDeque<Waiting>,
    bytes: usize,
    /// Whether the client takes them as it must.
    pace: Pace,
}

/// A frame, or what is left of it.
struct Waiting {
    pieces: VecDeque<Bytes>,
    /// Given back when all of it is written.
    _charge: Option<Charge>,
    /// They end with it.
    _requests: Option<Requests>,
}

impl Output {
    pub(super) fn new() -> Output {
        Output { frames: VecDeque::new(), bytes: 0, pace: Pace::new() }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        let Frame { pieces, charge, _requests, .. } = frame;
        let pieces: VecDeque<Bytes> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        self.bytes += pieces.iter().map(Bytes::len).sum::<usize>();
        self.frames.push_back(Waiting { pieces, _charge: charge, _requests });
    }

    /// The bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Whether a write of it is not made better by more of it.
    pub(super) fn is_worth_a_write(&self) -> bool {
        self.bytes >= WRITE_BYTES || self.frames.len() >= FRAMES_AT_ONCE
    }

    /// Writes once, as much as the socket takes. Returns how much that was. May be dropped and called again: the time
    /// goes on in which the client has to take something.
    ///
    /// # Errors
    /// The client is gone, or took too little for so long.
    pub(super) async fn write(
        &mut self,
        socket: &mut (impl AsyncWrite + Unpin),
        patience: Duration,
        account: &Account,
    ) -> Result<usize, Broken> {
        let pieces = self.frames.iter().flat_map(|frame| &frame.pieces).take(PIECES_MAX);
        let slices: Vec<IoSlice<'_>> = pieces.map(|piece| IoSlice::new(piece)).collect();
        let written = self.pace.within(patience, account, socket.write_vectored(&slices)).await?;
        if written == 0 {
            return Err(Broken);
        }
        self.take(written);
        Ok(written)
    }

    fn take(&mut self, mut written: usize) {
        self.pace.moved(written);
        self.bytes -= written;
        while let Some(frame) = self.frames.front_mut() {
            while let Some(piece) = frame.pieces.front_mut() {
                if written < piece.len() {
                    return piece.advance(written);
                }
                written -= piece.len();
                frame.pieces.pop_front();
            }
            self.frames.pop_front();
        }
        self.pace.end();
    }
}

#[cfg(test)]
mod tests;
