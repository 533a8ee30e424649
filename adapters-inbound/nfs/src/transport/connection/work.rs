use std::pin::Pin;
use std::task::{Context, Poll};

use dittofs_transport::Charge;
use tracing::{Instrument, Span};

use super::super::meter::Begun;
use crate::rpc::{CallFuture, Reply};

/// A call that is being carried out.
pub(super) struct Work<'a> {
    future: CallFuture<'a>,
    xid: u32,
    begun: Begun,
    /// Room for the call and its reply; taken out when it is done.
    charge: Option<Charge>,
}

/// A call that has been carried out.
pub(super) struct Done {
    pub(super) xid: u32,
    pub(super) begun: Begun,
    /// The room that it held.
    pub(super) charge: Option<Charge>,
    pub(super) reply: Reply,
}

impl<'a> Work<'a> {
    pub(super) fn new(future: CallFuture<'a>, span: Span, (xid, begun): (u32, Begun), charge: Charge) -> Self {
        // A disabled span costs nothing; an enabled one costs an allocation.
        let future = if span.is_disabled() { future } else { Box::pin(future.instrument(span)) };
        Self { future, xid, begun, charge: Some(charge) }
    }

    /// The bytes of the room that it holds.
    pub(super) fn bytes(&self) -> u64 {
        self.charge.as_ref().map_or(0, Charge::bytes)
    }
}

impl Future for Work<'_> {
    type Output = Done;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Done> {
        let (xid, begun) = (self.xid, self.begun);
        let polled = self.future.as_mut().poll(context);
        polled.map(|reply| Done { xid, begun, charge: self.charge.take(), reply })
    }
}
