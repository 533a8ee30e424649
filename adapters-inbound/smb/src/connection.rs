//! One client's connection, as one task.
//!
//! Requests run at once, and are answered in the order in which they are done. Reading stops while there is no room for
//! what comes next, and when the client closes its side. What has begun goes on to its end, whether the client takes
//! answers or not: it may hold what others wait for.

mod output;
mod pace;
mod receive;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use dittofs_smb_wire::{Command, NtStatus, Packet};
use dittofs_transport::{Account, Charge, Control, Seat, Wish};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    calls::{self, Batch, Broken},
    closing::close_session,
    counts::{CommandCounts, Requests},
    establish::multi_protocol,
    link::{Frame, Link},
    server::Server,
};
use output::Output;
use receive::Receiver;

/// Bytes that a request takes besides its frame.
const REQUEST_BYTES: usize = 2 << 10;
/// How long the client may take to notice that the connection ends.
const LINGER: Duration = Duration::from_secs(1);
/// Frames that are written at once.
const FRAMES_AT_ONCE: usize = 16;
/// Bytes of answers that the client has not taken; nothing more is read meanwhile. One of the largest, or many small.
const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// How long a connection keeps its front before others have their turn: as NFS has it, a hundred small requests.
const SLICE: Duration = Duration::from_micros(500);

/// The outcome of an exchange: bytes written, or a frame with the room that it takes; none at the client's end.
type Exchanged = Moved<Result<usize, Broken>, Result<Option<(receive::Received, Charge)>, Broken>>;
/// The requests of a frame, until it is answered.
type Request = Pin<Box<dyn Future<Output = Result<Option<Frame>, Broken>> + Send>>;
type Running = FuturesUnordered<Request>;

/// A connection.
pub(crate) struct Connection {
    link: Arc<Link>,
    early: UnboundedReceiver<Frame>,
    seat: Seat,
    account: Account,
    commands: Arc<CommandCounts>,
}

impl Connection {
    pub(crate) fn new(
        server: Arc<Server>,
        peer: SocketAddr,
        (seat, account): (Seat, Account),
        commands: Arc<CommandCounts>,
    ) -> Connection {
        let (outbox, early) = unbounded_channel();
        Connection { link: Arc::new(Link::new(server, peer, outbox)), early, seat, account, commands }
    }

    /// Serves the connection to its end, and closes what its client has left open.
    pub(crate) async fn run(mut self, mut stream: TcpStream, control: &Control) {
        if let Ok(local) = stream.local_addr() {
            // Nobody else sets it.
            self.link.local.set(local.ip().to_canonical()).ok();
        }
        let mut running = Running::new();
        let ended = {
            let (read, write) = stream.split();
            let wish = poll_fn(|context| match control.wish(context.waker()) {
                Wish::Cut => Poll::Ready(()),
                Wish::Run | Wish::Drain => Poll::Pending,
            });
            tokio::select! {
                biased;
                () = wish => Err(Broken),
                ended = self.serve((read, write), &mut running, control) => ended,
            }
        };
        self.link.is_over.store(true, Ordering::Release);
        self.link.waiting.cancel_all();
        finish(&mut running, control).await;
        for session in self.link.take_sessions() {
            // It goes on where another connection has it.
            if !session.channels.remove(&self.link) {
                close_session(&self.link.server, &session).await;
            }
        }
        if ended.is_ok() {
            let farewell = async {
                stream.shutdown().await?;
                let mut rest = [0; 4096];
                while stream.read(&mut rest).await? > 0 {}
                std::io::Result::Ok(())
            };
            // The client is gone or has its reply; there is nothing else to do about a failure.
            let _ = timeout(LINGER, farewell).await;
        }
    }

    async fn serve(
        &mut self,
        (read, mut write): (ReadHalf<'_>, WriteHalf<'_>),
        running: &mut Running,
        control: &Control,
    ) -> Result<(), Broken> {
        let (mut receiver, mut output) = (Receiver::new(read), Output::new());
        let limits = self.link.server.options.limits.clone();
        let stranger_until = Instant::now() + limits.stall;
        let mut idle = pin!(sleep_until(Instant::now() + self.link.server.idle));
        let mut active = Instant::now();
        // Since when it has gone on without a wait.
        let mut turn = None;
        let mut reads = true;
        loop {
            if !reads && running.is_empty() && output.is_empty() {
                return Ok(());
            }
            if turn.get_or_insert_with(Instant::now).elapsed() > SLICE {
                tokio::task::yield_now().await;
                turn = None;
            }
            if self.link.is_admitted.load(Ordering::Acquire) {
                self.seat.admit();
            }
            self.note_activity(running.is_empty() && output.is_empty());
            let draining = poll_fn(|context| match control.wish(context.waker()) {
                Wish::Run => Poll::Pending,
                Wish::Drain | Wish::Cut => Poll::Ready(()),
            });
            let is_stranger = self.seat.is_unadmitted();
            let may_read = reads && running.len() < limits.in_flight && output.bytes() < OUTPUT_BYTES_MAX;
            if !may_read {
                receiver.rest();
            }
            let may_write = !output.is_empty();
            // The answers to what is here already leave with one write.
            let gathers = receiver.has_frame() && !output.is_worth_a_write();
            let frame = tokio::select! {
                biased;
                done = running.select_next_some(), if !running.is_empty() => done?,
                early = self.early.recv() => early,
                () = draining, if reads => { self.stop_reading(&mut reads); None }
                () = sleep_until(stranger_until), if is_stranger => return Err(Broken),
                () = &mut idle => {
                    let is_idle = running.is_empty() && !self.link.is_in_use();
                    let until = if is_idle { active } else { Instant::now() } + self.link.server.idle;
                    if until <= Instant::now() {
                        return Ok(());
                    }
                    idle.as_mut().reset(until);
                    continue;
                }
                moved = exchange(
                    (output.write(&mut write, limits.stall, &self.account), may_write),
                    (receiver.next(&self.link, &self.account, limits.stall), may_read),
                    gathers,
                ), if may_write || may_read => self.go_on(moved, running, &mut reads)?,
                // Polled where all others have to wait.
                () = poll_fn(|_| { turn = None; Poll::Pending }) => None,
            };
            active = Instant::now();
            let mut notices = Vec::new();
            self.put_behind_early(frame, &mut output, &mut notices);
            self.collect_ready(running, &mut output, &mut notices)?;
            notices.into_iter().for_each(|notice| output.push(notice));
        }
    }

    /// Goes on with what was written or received. Nothing is read behind the client's end.
    fn go_on(&mut self, moved: Exchanged, running: &mut Running, reads: &mut bool) -> Result<Option<Frame>, Broken> {
        match moved {
            Moved::Written(bytes) => self.link.server.counts.bytes_sent.add(bytes? as u64),
            Moved::Received(received) => match received? {
                Some((packet, charge)) => return self.start(packet, charge, running),
                None => self.stop_reading(reads),
            },
        }
        Ok(None)
    }

    /// Reads nothing more. Nobody can cancel what waits any more, or close what it waits for, so it ends now, unless it
    /// does so by itself.
    fn stop_reading(&self, reads: &mut bool) {
        *reads = false;
        self.link.waiting.cancel_endless();
    }

    fn note_activity(&self, is_idle: bool) {
        if is_idle && !self.link.is_in_use() {
            self.seat.idle_since(std::time::Instant::now());
        } else {
            self.seat.busy();
        }
    }

    /// Takes what is done already, so that it leaves with one write.
    fn collect_ready(
        &mut self,
        running: &mut Running,
        output: &mut Output,
        notices: &mut Vec<Frame>,
    ) -> Result<(), Broken> {
        for _ in 0..FRAMES_AT_ONCE {
            if running.is_empty() {
                return Ok(());
            }
            let Some(Some(done)) = running.next().now_or_never() else { return Ok(()) };
            self.put_behind_early(done?, output, notices);
        }
        Ok(())
    }

    /// Puts an answer behind the interim ones: its own may be among them. Notices wait.
    fn put_behind_early(&mut self, frame: Option<Frame>, output: &mut Output, notices: &mut Vec<Frame>) {
        while let Ok(early) = self.early.try_recv() {
            if early.is_notice { notices.push(early) } else { output.push(early) }
        }
        match frame {
            Some(notice) if notice.is_notice => notices.insert(0, notice),
            frame => frame.into_iter().for_each(|frame| output.push(frame)),
        }
    }

    /// Starts what a frame asks for. Returns an answer that is there at once.
    fn start(
        &mut self,
        packet: receive::Received,
        charge: Charge,
        running: &mut Running,
    ) -> Result<Option<Frame>, Broken> {
        self.link.server.counts.frames.count();
        let batch = match packet {
            receive::Received::Batch(batch) => batch,
            receive::Received::Other(Packet::Smb1Negotiate(offered)) => {
                let mut requests = Requests::new(&self.commands, [Command::NEGOTIATE]);
                let answer = multi_protocol(&self.link, &offered).ok_or(Broken)?;
                requests.answered(NtStatus::SUCCESS);
                let (head, payload) = answer.into_parts();
                let pieces: Vec<Bytes> = std::iter::once(head.freeze()).chain(payload).collect();
                let frame = Frame::new(pieces).ok_or(Broken)?;
                return Ok(Some(Frame { _requests: Some(requests), ..frame }));
            }
            receive::Received::Other(_) => return Err(Broken),
        };
        self.take_ids(&batch)?;
        let link = Arc::clone(&self.link);
        let commands = batch.requests.iter().map(|(message, _)| message.header.command);
        let mut requests = Requests::new(&self.commands, commands);
        let mut request: Request = Box::pin(async move {
            let answered = calls::run(link, batch, &mut requests).await?;
            Ok(answered.map(|frame| Frame { charge: Some(charge), _requests: Some(requests), ..frame }))
        });
        // Most need nothing that is not there. Those that do are polled again as soon as they are among the others.
        if let Some(answered) = (&mut request).now_or_never() {
            return answered;
        }
        running.push(request);
        Ok(None)
    }

    /// Uses the message ids of a frame's requests, and carries out what cancels others.
    fn take_ids(&self, batch: &Batch) -> Result<(), Broken> {
        let mut window = self.link.window.lock();
        for (message, _) in &batch.requests {
            let header = &message.header;
            if header.command == Command::CANCEL {
                self.link.waiting.cancel(header);
            } else if !window.take(header.message_id, header.credit_charge) {
                let peer = self.link.peer;
                tracing::debug!(%peer, id = header.message_id, "connection closed: a message id out of turn");
                return Err(Broken);
            }
        }
        Ok(())
    }
}

/// What a connection did.
enum Moved<W, R> {
    Written(W),
    Received(R),
}

/// Writes or receives, whichever may be and can be done; writes where both can, unless `reads_first`.
async fn exchange<W, R>(
    (write, may_write): (impl Future<Output = W>, bool),
    (read, may_read): (impl Future<Output = R>, bool),
    reads_first: bool,
) -> Moved<W, R> {
    let (mut write, mut read) = (pin!(write), pin!(read));
    poll_fn(|context| {
        for reads in [reads_first, !reads_first] {
            if reads
                && may_read
                && let Poll::Ready(received) = read.as_mut().poll(context)
            {
                return Poll::Ready(Moved::Received(received));
            }
            if !reads
                && may_write
                && let Poll::Ready(written) = write.as_mut().poll(context)
            {
                return Poll::Ready(Moved::Written(written));
            }
        }
        Poll::Pending
    })
    .await
}

/// Lets what has begun come to its end, though nobody takes the answers: a change that was cut off might leave
/// something open or locked. The locks that are waited for have been given up before.
async fn finish(running: &mut Running, control: &Control) {
    let cut = poll_fn(|context| match control.wish(context.waker()) {
        Wish::Cut => Poll::Ready(()),
        Wish::Run | Wish::Drain => Poll::Pending,
    });
    let ended = async { while running.next().await.is_some() {} };
    tokio::select! {
        () = ended => {}
        () = cut => {}
    }
}

#[cfg(test)]
mod tests;
