//! The bytes of requests and answers on their way.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use opendal::{Buffer, Error, ErrorKind};
use parking_lot::Mutex;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

use super::{NO_ANSWER, stalled};

/// Bytes that are handed to the connection at a time: each counts as progress. In the 20 s that may pass without
/// progress a link of 105 kbit/s moves one.
const PIECE_BYTES: usize = 256 << 10;

/// A request's bytes, which say that they move.
pub(super) struct Upload {
    rest: Buffer,
    next: Bytes,
    left: u64,
    moved: Arc<AtomicU64>,
}

impl Upload {
    pub(super) fn new(bytes: Buffer, moved: Arc<AtomicU64>) -> Upload {
        Upload { left: bytes.len() as u64, rest: bytes, next: Bytes::new(), moved }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        while self.next.is_empty() {
            match self.rest.next() {
                Some(next) => self.next = next,
                None => return Poll::Ready(None),
            }
        }
        let length = self.next.len().min(PIECE_BYTES);
        let piece = self.next.split_to(length);
        self.left = self.left.saturating_sub(length as u64);
        self.moved.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The resources that an answer holds until its last byte is read.
pub(super) struct Held {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) timeout: Duration,
}

/// An answer's bytes. It fails where none come for too long.
pub(super) struct Answer {
    // Locked by nobody else: it only makes the stream `Sync`, as its readers want it.
    incoming: Mutex<Incoming>,
    patience: Pin<Box<Sleep>>,
    held: Held,
}

impl Answer {
    pub(super) fn new(incoming: Incoming, held: Held) -> Answer {
        Answer { incoming: Mutex::new(incoming), patience: Box::pin(tokio::time::sleep(held.timeout)), held }
    }
}

impl Stream for Answer {
    type Item = opendal::Result<Buffer>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match Pin::new(this.incoming.get_mut()).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.patience.as_mut().reset(Instant::now() + this.held.timeout);
                    match frame.into_data() {
                        Ok(bytes) if !bytes.is_empty() => return Poll::Ready(Some(Ok(Buffer::from(bytes)))),
                        Ok(_) | Err(_) => {}
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    let broken = Error::new(ErrorKind::Unexpected, format!("{NO_ANSWER}: it broke off: {error}"));
                    return Poll::Ready(Some(Err(broken.set_temporary())));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    return match this.patience.as_mut().poll(context) {
                        Poll::Ready(()) => Poll::Ready(Some(Err(stalled(this.held.timeout)))),
                        Poll::Pending => Poll::Pending,
                    };
                }
            }
        }
    }
}
