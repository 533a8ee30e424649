use std::pin::Pin;
use std::task::{Context, Poll};

use dittofs_transport::{Account, Charge};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tracing::Span;

use super::super::meter::Begun;
use super::work::{Done, Work};
use crate::rpc::{Dispatch, Reply};

/// The calls of one connection that are being carried out, and the one that waits until there is room for it.
pub(super) struct Calls<'a> {
    working: FuturesUnordered<Work<'a>>,
    /// The bytes that those hold.
    bytes: u64,
    queued: Option<Queued<'a>>,
}

/// A call that has been dispatched.
pub(super) struct Queued<'a> {
    pub(super) xid: u32,
    pub(super) begun: Begun,
    pub(super) span: Span,
    pub(super) dispatch: Dispatch<'a>,
    pub(super) record_bytes: usize,
    /// Room for the record and the call, if the record is large.
    pub(super) charge: Option<Charge>,
}

/// There is no room for a call that is large both ways. It must not wait for room while it holds some: with others like
/// it, it might wait for ever.
pub(super) struct LargeBothWays;

/// The memory that a call takes beside its record and the payload of its reply: its future, a small reply, its share of
/// buffers.
pub(super) const CALL_BYTES: usize = 4096;

impl<'a> Calls<'a> {
    pub(super) fn none() -> Self {
        Self { working: FuturesUnordered::new(), bytes: 0, queued: None }
    }

    /// The number of those that are being carried out.
    pub(super) fn len(&self) -> usize {
        self.working.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.working.is_empty()
    }

    /// The bytes of the calls that are being carried out, and of their replies.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn has_queued(&self) -> bool {
        self.queued.is_some()
    }

    /// Puts a call where [`Calls::start`] finds it.
    pub(super) fn queue(&mut self, call: Queued<'a>) {
        self.queued = Some(call);
    }

    /// Forgets the call that waits: it has not begun.
    pub(super) fn forget_queued(&mut self) {
        self.queued = None;
    }

    /// Starts the call that waits. Most are done at once, and never join the others.
    pub(super) fn start(
        &mut self,
        account: &Account,
        context: &mut Context<'_>,
    ) -> Result<Poll<Option<Done>>, LargeBothWays> {
        let Some(mut queued) = self.queued.take() else { return Ok(Poll::Ready(None)) };
        let reply_bytes = match &queued.dispatch {
            Dispatch::Ready(reply) => reply.bytes(),
            Dispatch::Running { reply_bytes_max, .. } => *reply_bytes_max,
        };
        let charge = match queued.charge.take() {
            Some(charge) if reply_bytes < CALL_BYTES => charge,
            Some(mut charge) => {
                charge.merge(account.try_charge(reply_bytes).ok_or(LargeBothWays)?);
                charge
            }
            None => match account.poll_charge(CALL_BYTES + queued.record_bytes + reply_bytes, context) {
                Poll::Ready(charge) => charge,
                Poll::Pending => {
                    self.queued = Some(queued);
                    return Ok(Poll::Pending);
                }
            },
        };
        let Queued { xid, begun, span, dispatch, .. } = queued;
        let done = |reply: Reply, charge| Done { xid, begun, charge: Some(charge), reply };
        Ok(Poll::Ready(match dispatch {
            Dispatch::Ready(reply) => Some(done(reply, charge)),
            Dispatch::Running { future, .. } => {
                let mut work = Work::new(future, span, (xid, begun), charge);
                match Pin::new(&mut work).poll(context) {
                    Poll::Ready(done) => Some(done),
                    Poll::Pending => {
                        self.bytes += work.bytes();
                        self.working.push(work);
                        None
                    }
                }
            }
        }))
    }

    /// The next call that has been carried out.
    pub(super) fn poll_done(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        match self.working.poll_next_unpin(context) {
            Poll::Ready(Some(done)) => {
                self.bytes -= done.charge.as_ref().map_or(0, Charge::bytes);
                Poll::Ready(done)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
