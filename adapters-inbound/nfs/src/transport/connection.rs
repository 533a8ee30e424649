mod calls;
mod deadline;
mod pace;
mod work;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use dittofs_transport::{Account, Control, Seat, Wish};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing::{debug, info};

use super::Limits;
use super::buffers::BufferPool;
use super::meter::{FrontCounts, Meter};
use super::output::Output;
use super::receive::{Next, Receiver, Record};
use crate::rpc::{Dispatch, Incoming, Programs};
use calls::{CALL_BYTES, Calls, LargeBothWays, Queued};
use pace::{Held, Pace, Slow};
use work::Done;

/// One client's connection, as one task.
///
/// Reading stops, and what has been started goes on to its end, when the client closes its side, sends what isn't RPC or goes away:
/// a change that has begun is carried out and remembered, so that its retransmission over another connection finds the answer.
pub(crate) struct Connection<'a> {
    socket: TcpStream,
    peer: SocketAddr,
    /// The address of this server that the client has chosen.
    local: IpAddr,
    programs: &'a Programs,
    limits: &'a Limits,
    receiver: Receiver,
    calls: Calls<'a>,
    output: Output,
    flow: Flow,
    pace: Pace,
    meter: Meter<'a>,
    seat: Seat,
    account: Account,
}

/// The conditions under which a connection may go on.
struct Flow {
    reading: bool,
    /// Nobody takes replies any more. A reply may have been truncated, so that none may follow.
    lost: bool,
    /// The received bytes hold no complete record.
    starved: bool,
    /// There is no room yet for what comes next.
    waits_for_room: bool,
    /// When the others of the front have their turn.
    slice_end: Instant,
}

/// After so many receives the other connections of the front have their turn. For what the clock does not see: a turn
/// usually ends after `Limits::slice`.
const RECEIVES_MAX: usize = 16;
/// How long the client may take to notice that the connection ends, before it is reset. A round trip and a
/// retransmission; a client that takes longer loses nothing but the last answer.
const LINGER: Duration = Duration::from_secs(1);

impl<'a> Connection<'a> {
    pub(crate) fn new(
        (socket, peer): (TcpStream, SocketAddr),
        (programs, limits): (&'a Programs, &'a Limits),
        (seat, account): (Seat, Account),
        pool: Arc<BufferPool>,
        counts: &'a FrontCounts,
    ) -> Self {
        let now = Instant::now();
        // Without one there is no connection any more either.
        let local = socket.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip().to_canonical());
        Self {
            socket,
            peer,
            local,
            programs,
            limits,
            receiver: Receiver::new(pool, limits.record_bytes_max),
            calls: Calls::none(),
            output: Output::default(),
            flow: Flow { reading: true, lost: false, starved: true, waits_for_room: false, slice_end: now },
            pace: Pace::new(now),
            meter: Meter::new(counts),
            seat,
            account,
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self, control: &Control) {
        let wish = std::future::poll_fn(|context| self.poll(context, control)).await;
        if self.flow.lost || wish == Wish::Cut {
            return;
        }
        // Closing with unread bytes would reset the connection, and the client might lose replies that are on their way.
        let farewell = async {
            self.socket.shutdown().await?;
            let mut rest = [0; 4096];
            while self.socket.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        };
        // The client is gone or has its reply; there is nothing else to do about a failure.
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }

    fn poll(&mut self, context: &mut Context<'_>, control: &Control) -> Poll<Wish> {
        let wish = control.wish(context.waker());
        match wish {
            Wish::Run => {}
            Wish::Drain => self.read_no_more(),
            Wish::Cut => return Poll::Ready(wish),
        }
        let now = Instant::now();
        self.flow.slice_end = now + self.limits.slice;
        // Here too: one that always has something to send is never waited for.
        if self.has_to_become_known() && self.pace.admission_deadline(self.limits).is_some_and(|due| now >= due) {
            self.end_unadmitted();
        }
        self.seat.busy();
        for _ in 0..RECEIVES_MAX {
            self.start_calls(context);
            self.collect_replies(context);
            self.meter.count_finished();
            self.write(context);
            if self.is_done() {
                return Poll::Ready(wish);
            }
            if self.is_slice_over() {
                break;
            }
            if !self.may_start() || self.flow.waits_for_room {
                // Not the client is waited for.
                self.pace.record.end();
                if self.output.bytes() == 0 {
                    self.pace.steps.end();
                }
                return self.wait(context).map(|()| wish);
            }
            if self.flow.starved && self.read(context).is_pending() {
                return self.wait(context).map(|()| wish);
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_done(&self) -> bool {
        !self.flow.reading && self.calls.is_empty() && self.output.bytes() == 0
    }

    fn is_slice_over(&self) -> bool {
        Instant::now() >= self.flow.slice_end
    }

    fn may_start(&self) -> bool {
        self.flow.reading
            && self.calls.len() < self.limits.calls_in_flight_max
            && (self.calls.bytes() < self.limits.bytes_in_flight_max as u64 || self.calls.is_empty())
            && self.output.bytes() < self.limits.output_bytes_max
    }

    /// Starts what has been received, until there is no more of it, no room for it, or the slice is over.
    fn start_calls(&mut self, context: &mut Context<'_>) {
        self.flow.waits_for_room = false;
        while self.may_start() {
            if !self.calls.has_queued() {
                match self.receiver.next() {
                    Ok(Next::Record(record)) => self.dispatch(record),
                    Ok(Next::Room(bytes)) => match self.account.poll_charge(bytes + CALL_BYTES, context) {
                        Poll::Ready(charge) => self.receiver.give_room(charge),
                        Poll::Pending => return self.flow.waits_for_room = true,
                    },
                    Ok(Next::Nothing) => return self.flow.starved = true,
                    Err(error) => return self.stop_reading(&error),
                }
            }
            match self.calls.start(&self.account, context) {
                Ok(Poll::Ready(Some(done))) => self.answer(done),
                Ok(Poll::Ready(None)) => {}
                Ok(Poll::Pending) => return self.flow.waits_for_room = true,
                Err(LargeBothWays) => {
                    info!(peer = %self.peer, "connection closed: no room for a call that is large both ways");
                    return self.read_no_more();
                }
            }
            if self.is_slice_over() {
                return;
            }
        }
    }

    /// Finds out what a record is, and puts the call among those to be started.
    fn dispatch(&mut self, Record { bytes, charge }: Record) {
        self.flow.starved = false;
        self.pace.record.end();
        let record_bytes = bytes.len();
        let (xid, begun, span, dispatch) = match Incoming::parse(bytes, (self.peer, self.local)) {
            Ok(Incoming::Call(call)) => {
                let span = tracing::trace_span!(
                    "rpc",
                    peer = %self.peer,
                    xid = call.xid,
                    program = call.program,
                    version = call.version,
                    procedure = call.procedure,
                );
                let (xid, begun) = (call.xid, self.meter.begin(call.program, call.procedure));
                (xid, begun, span, self.programs.dispatch(call))
            }
            Ok(Incoming::Refused { xid, reply }) => {
                (xid, self.meter.refused(), tracing::Span::none(), Dispatch::Ready(reply))
            }
            Ok(Incoming::Ignored) => return,
            Err(error) => return self.stop_reading(&error),
        };
        self.calls.queue(Queued { xid, begun, span, dispatch, record_bytes, charge });
    }

    fn collect_replies(&mut self, context: &mut Context<'_>) {
        while !self.calls.is_empty() && !self.is_slice_over() {
            let Poll::Ready(done) = self.calls.poll_done(context) else { return };
            self.answer(done);
        }
    }

    fn answer(&mut self, Done { xid, begun, charge, reply }: Done) {
        self.meter.end(begun, &reply);
        if self.seat.is_unadmitted() && self.meter.is_of_a_share(begun, &reply) {
            self.seat.admit();
        }
        if reply.disconnects() && !self.flow.lost {
            return self.end_unanswered(xid);
        }
        if let Some(message) = reply.into_stream_message(xid)
            && let Some(charge) = charge
            && !self.flow.lost
        {
            self.output.push(message, charge);
        }
    }

    fn write(&mut self, context: &mut Context<'_>) {
        while self.output.bytes() > 0 {
            match self.output.poll_write(context, &mut self.socket) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    self.pace.replies.moved(written as u64);
                    self.pace.steps.moved(written as u64);
                    self.meter.sent(written);
                }
                Poll::Ready(Ok(_)) => return self.lose(&std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => return self.lose(&error),
                Poll::Pending => {
                    self.pace.replies.wait(Instant::now());
                    self.pace.steps.wait(Instant::now());
                    return self.output.shrink_charge();
                }
            }
        }
        self.pace.replies.end();
        self.output.shrink_charge();
    }

    /// Reads once; ready also when the connection turns out to have ended.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.receiver.poll_fill(context, &mut self.socket) {
            Poll::Ready(Ok(0)) => self.read_no_more(),
            Poll::Ready(Ok(bytes)) => {
                self.meter.received(bytes);
                self.pace.steps.moved(bytes as u64);
                self.flow.starved = false;
            }
            Poll::Ready(Err(error)) => self.lose(&error),
            Poll::Pending => {
                if self.receiver.is_inside_record() {
                    self.pace.record.wait(Instant::now());
                    self.pace.steps.wait(Instant::now());
                } else {
                    self.pace.record.end();
                }
                if self.calls.is_empty() {
                    self.receiver.rest();
                }
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Nobody is there to take a reply any more.
    fn lose(&mut self, error: &std::io::Error) {
        debug!(peer = %self.peer, %error, "connection lost");
        self.read_no_more();
        self.flow.lost = true;
        self.output.discard();
        self.pace.replies.end();
    }

    /// Ends the connection without a reply to this call, nor to others: they are remembered, and the client sends all of
    /// them again.
    fn end_unanswered(&mut self, xid: u32) {
        info!(peer = %self.peer, xid, "connection closed: it is not known what became of a call");
        self.lose(&std::io::ErrorKind::ConnectionAborted.into());
        // At once: what else is being carried out may take its time, and the client shall not wait for that. A socket
        // that is gone already needs no end.
        let _ = Pin::new(&mut self.socket).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }

    fn stop_reading(&mut self, error: &(dyn std::error::Error + 'static)) {
        info!(peer = %self.peer, error, "connection closed: what it sends is not ONC RPC within bounds");
        self.read_no_more();
    }

    fn read_no_more(&mut self) {
        self.flow.reading = false;
        self.flow.waits_for_room = false;
        self.pace.record.end();
        // Its room is for others, also while the client takes its time to notice.
        self.receiver.discard();
        self.calls.forget_queued();
        self.account.forgo();
    }

    /// Waits for the client, for stores or for room; ends a connection whose client stands still.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.pace.active = self.meter.received_at();
        if self.output.bytes() == 0 && !self.receiver.is_inside_record() {
            self.pace.steps.end();
        }
        if self.calls.is_empty() {
            self.seat.idle_since(self.pace.active);
        }
        loop {
            let held = self.held();
            let Poll::Ready(slow) = self.pace.poll(held, self.limits, context) else { break };
            self.give_up(slow);
            if self.is_done() {
                break;
            }
            // The others have a time still, and the timer has to be set to it.
        }
        if self.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn held(&self) -> Held {
        let has_replies = self.output.bytes() > 0;
        let room = self.receiver.holds_room() || has_replies;
        let carries = has_replies || self.flow.waits_for_room || self.receiver.is_inside_record();
        // The place of an unadmitted connection that ends is another's already: it must not stay for replies that it
        // does not take.
        let is_ending_unadmitted = self.seat.is_unadmitted() && !self.flow.reading;
        Held {
            room,
            is_short: room && (is_ending_unadmitted || self.account.is_short()),
            is_idle: self.calls.is_empty() && !carries,
            is_unadmitted: self.has_to_become_known(),
        }
    }

    /// Whether it counts against its client that no share has answered a call yet: the server doesn't keep it waiting.
    fn has_to_become_known(&self) -> bool {
        self.seat.is_unadmitted() && self.flow.reading && !self.flow.waits_for_room
    }

    fn end_unadmitted(&mut self) {
        debug!(peer = %self.peer, "connection closed: no share has answered a call of it");
        self.read_no_more();
    }

    fn give_up(&mut self, slow: Slow) {
        match slow {
            Slow::Replies => {
                info!(peer = %self.peer, bytes = self.output.bytes(), "connection closed: its client takes no replies");
                self.lose(&std::io::ErrorKind::TimedOut.into());
            }
            Slow::Record => {
                info!(peer = %self.peer, "connection closed: a record was half received for too long");
                self.read_no_more();
            }
            Slow::Idle => {
                debug!(peer = %self.peer, "connection closed: it was idle");
                self.read_no_more();
            }
            Slow::Unadmitted => self.end_unadmitted(),
        }
    }
}
