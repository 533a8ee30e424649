use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::{Instrument, Span};

use super::super::meter::Begun;
use crate::rpc::{CallFuture, Reply};

/// A call that is being carried out.
pub(super) struct Work<'a> {
    future: CallFuture<'a>,
    xid: u32,
    begun: Begun,
    bytes: usize,
}

/// A call that has been carried out.
pub(super) struct Done {
    pub(super) xid: u32,
    pub(super) begun: Begun,
    /// What it counted for while it was in flight.
    pub(super) bytes: usize,
    pub(super) reply: Reply,
}

impl<'a> Work<'a> {
    pub(super) fn new(future: CallFuture<'a>, span: Span, (xid, begun): (u32, Begun), bytes: usize) -> Self {
        // A disabled span costs nothing; an enabled one costs an allocation.
        let future = if span.is_disabled() { future } else { Box::pin(future.instrument(span)) };
        Self { future, xid, begun, bytes }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Polls before the work has joined the others. Most calls are done then, and never join.
    pub(super) fn poll_once(&mut self, context: &mut Context<'_>) -> Poll<Reply> {
        self.future.as_mut().poll(context)
    }
}

impl Future for Work<'_> {
    type Output = Done;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Done> {
        let (xid, begun, bytes) = (self.xid, self.begun, self.bytes);
        self.future.as_mut().poll(context).map(|reply| Done { xid, begun, bytes, reply })
    }
}
