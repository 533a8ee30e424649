mod deadline;
mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::{debug, info};

use super::Limits;
use super::buffers::BufferPool;
use super::control::{Control, Wish};
use super::meter::{Begun, FrontCounts, Meter};
use super::output::Output;
use super::receive::Receiver;
use crate::rpc::{Dispatch, Incoming, Programs, Reply};
use deadline::Deadline;
use work::{Done, Work};

/// One client's connection, as one task.
///
/// Reading stops, and what has been started goes on to its end, when the client closes its side, sends what isn't RPC or goes away:
/// a change that has begun is carried out and remembered, so that its retransmission over another connection finds the answer.
pub(crate) struct Connection<'a> {
    socket: TcpStream,
    peer: SocketAddr,
    programs: &'a Programs,
    limits: &'a Limits,
    receiver: Receiver,
    output: Output,
    working: FuturesUnordered<Work<'a>>,
    /// Bytes of the calls that are being carried out, and of their replies.
    bytes_in_flight: usize,
    reading: bool,
    /// Nobody takes replies any more. A reply may have been cut in its middle, so that none may follow.
    lost: bool,
    /// The received bytes hold no complete record.
    starved: bool,
    received: Option<Instant>,
    taken: Option<Instant>,
    deadline: Deadline,
    meter: Meter<'a>,
}

/// After so many receives the other connections of the front have their turn.
const RECEIVES_MAX: usize = 16;
/// How long the client may take to notice that the connection ends, before it is reset.
const LINGER: Duration = Duration::from_secs(1);

impl<'a> Connection<'a> {
    pub(crate) fn new(
        socket: TcpStream,
        peer: SocketAddr,
        programs: &'a Programs,
        limits: &'a Limits,
        pool: Arc<BufferPool>,
        counts: &'a FrontCounts,
    ) -> Self {
        Self {
            socket,
            peer,
            programs,
            limits,
            receiver: Receiver::new(pool, limits.record_bytes_max),
            output: Output::default(),
            working: FuturesUnordered::new(),
            bytes_in_flight: 0,
            reading: true,
            lost: false,
            starved: true,
            received: None,
            taken: None,
            deadline: Deadline::default(),
            meter: Meter::new(counts),
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self, control: &Control) {
        let wish = std::future::poll_fn(|context| self.poll(context, control)).await;
        if self.lost || wish == Wish::Cut {
            return;
        }
        // Closing with unread bytes would reset the connection, and the client might lose replies that are on their way.
        let farewell = async {
            self.socket.shutdown().await?;
            let mut rest = [0; 4096];
            while self.socket.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        };
        // The client is gone or has been told; there is nothing else to do about a failure.
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }

    fn poll(&mut self, context: &mut Context<'_>, control: &Control) -> Poll<Wish> {
        let wish = control.wish(context.waker());
        match wish {
            Wish::Run => {}
            Wish::Drain => self.reading = false,
            Wish::Cut => return Poll::Ready(wish),
        }
        for _ in 0..RECEIVES_MAX {
            self.start_calls(context);
            self.collect_replies(context);
            self.meter.settle();
            self.write(context);
            if self.is_done() {
                return Poll::Ready(wish);
            }
            if !self.may_start() {
                self.received = None;
                return self.poll_deadline(context).map(|()| wish);
            }
            if self.starved && self.read(context).is_pending() {
                return self.poll_deadline(context).map(|()| wish);
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_done(&self) -> bool {
        !self.reading && self.working.is_empty() && self.output.bytes() == 0
    }

    fn may_start(&self) -> bool {
        self.reading
            && self.working.len() < self.limits.calls_in_flight_max
            && (self.bytes_in_flight < self.limits.bytes_in_flight_max || self.working.is_empty())
            && self.output.bytes() < self.limits.output_bytes_max
    }

    fn start_calls(&mut self, context: &mut Context<'_>) {
        while self.may_start() {
            match self.receiver.next_record() {
                Ok(Some(record)) => self.start(record, context),
                Ok(None) => {
                    self.starved = true;
                    return;
                }
                Err(error) => return self.stop_reading(&error),
            }
        }
    }

    fn start(&mut self, record: Bytes, context: &mut Context<'_>) {
        self.starved = false;
        let call = match Incoming::parse(record, self.peer) {
            Ok(Incoming::Call(call)) => call,
            Ok(Incoming::Refused { xid, reply }) => return self.answer(xid, self.meter.refused(), reply),
            Ok(Incoming::Ignored) => return,
            Err(error) => return self.stop_reading(&error),
        };
        let (xid, record_bytes) = (call.xid, call.record_bytes);
        let begun = self.meter.begin(call.program, call.procedure);
        let span = tracing::trace_span!(
            "rpc",
            peer = %self.peer,
            xid,
            program = call.program,
            version = call.version,
            procedure = call.procedure,
        );
        match self.programs.dispatch(call) {
            Dispatch::Ready(reply) => self.answer(xid, begun, reply),
            Dispatch::Running { future, reply_bytes_max } => {
                let mut work = Work::new(future, span, (xid, begun), record_bytes.saturating_add(reply_bytes_max));
                match work.poll_once(context) {
                    Poll::Ready(reply) => self.answer(xid, begun, reply),
                    Poll::Pending => {
                        self.bytes_in_flight = self.bytes_in_flight.saturating_add(work.bytes());
                        self.working.push(work);
                    }
                }
            }
        }
    }

    fn collect_replies(&mut self, context: &mut Context<'_>) {
        while !self.working.is_empty() {
            let Poll::Ready(Some(Done { xid, begun, bytes, reply })) = self.working.poll_next_unpin(context) else {
                return;
            };
            self.bytes_in_flight = self.bytes_in_flight.saturating_sub(bytes);
            self.answer(xid, begun, reply);
        }
    }

    fn answer(&mut self, xid: u32, begun: Begun, reply: Reply) {
        self.meter.end(begun, &reply);
        if let Some(message) = reply.into_stream_message(xid)
            && !self.lost
        {
            self.output.push(message);
        }
    }

    fn write(&mut self, context: &mut Context<'_>) {
        while self.output.bytes() > 0 {
            match self.output.poll_write(context, &mut self.socket) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    self.taken = None;
                    self.meter.sent(written);
                }
                Poll::Ready(Ok(_)) => return self.lose(&std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => return self.lose(&error),
                Poll::Pending => {
                    self.taken.get_or_insert_with(Instant::now);
                    return;
                }
            }
        }
        self.taken = None;
    }

    /// Reads once; ready also when the connection turns out to have ended.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.receiver.poll_fill(context, &mut self.socket) {
            Poll::Ready(Ok(0)) => {
                self.reading = false;
                self.received = None;
            }
            Poll::Ready(Ok(bytes)) => {
                self.received = None;
                self.meter.received(bytes);
            }
            Poll::Ready(Err(error)) => self.lose(&error),
            Poll::Pending => {
                if self.receiver.is_inside_record() {
                    self.received.get_or_insert_with(Instant::now);
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Nobody is there to take a reply any more.
    fn lose(&mut self, error: &std::io::Error) {
        debug!(peer = %self.peer, %error, "connection lost");
        self.reading = false;
        self.lost = true;
        self.output.discard();
        self.taken = None;
        self.received = None;
    }

    fn stop_reading(&mut self, error: &(dyn std::error::Error + 'static)) {
        info!(peer = %self.peer, error, "connection closed: what it sends is not ONC RPC within bounds");
        self.reading = false;
    }

    /// Ends a connection whose client stands still.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let slow_reader = self.taken.map(|since| since + self.limits.slow_reader_timeout);
        let partial_record = self.received.map(|since| since + self.limits.partial_record_timeout);
        if self.deadline.poll(slow_reader, context).is_ready() {
            info!(peer = %self.peer, bytes = self.output.bytes(), "connection closed: its client takes no replies");
            self.lose(&std::io::ErrorKind::TimedOut.into());
        } else if self.deadline.poll(partial_record, context).is_ready() {
            info!(peer = %self.peer, "connection closed: a record stood still half received");
            self.reading = false;
            self.received = None;
        }
        if self.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }
}
