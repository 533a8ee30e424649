//! One client's connection, as one task.
//!
//! Requests run at once, and are answered in the order in which they are done. Reading stops while there is no room for
//! what comes next, and when the client closes its side; what has begun goes on to its end.

mod receive;
mod size;

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use dittofs_smb_wire::{Command, Packet};
use dittofs_transport::{Account, Charge, Control, Seat, Wish};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, timeout},
};

use crate::{
    calls::{self, Batch, Broken},
    closing::close_session,
    establish::multi_protocol,
    link::{Frame, Link},
    server::Server,
};
use receive::Receiver;

/// Bytes that a request takes besides its frame.
const REQUEST_BYTES: usize = 2 << 10;
/// How long the client may take to notice that the connection ends.
const LINGER: Duration = Duration::from_secs(1);
/// Frames that are written at once.
const FRAMES_AT_ONCE: usize = 16;

type Running = Pin<Box<dyn Future<Output = Result<Option<Frame>, Broken>> + Send>>;

/// A connection.
pub(crate) struct Connection {
    link: Arc<Link>,
    early: UnboundedReceiver<Frame>,
    seat: Seat,
    account: Account,
}

impl Connection {
    pub(crate) fn new(server: Arc<Server>, peer: SocketAddr, (seat, account): (Seat, Account)) -> Connection {
        let (outbox, early) = unbounded_channel();
        Connection { link: Arc::new(Link::new(server, peer, outbox)), early, seat, account }
    }

    /// Serves the connection to its end, and closes what its client has left open.
    pub(crate) async fn run(mut self, mut stream: TcpStream, control: &Control) {
        if let Ok(local) = stream.local_addr() {
            // Nobody else sets it.
            self.link.local.set(local.ip().to_canonical()).ok();
        }
        let ended = {
            let (read, write) = stream.split();
            let wish = poll_fn(|context| match control.wish(context.waker()) {
                Wish::Cut => Poll::Ready(()),
                Wish::Run | Wish::Drain => Poll::Pending,
            });
            tokio::select! {
                biased;
                () = wish => Err(Broken),
                ended = self.serve(read, write, control) => ended,
            }
        };
        self.link.is_over.store(true, Ordering::Release);
        self.link.waiting.cancel_all();
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

    async fn serve(&mut self, read: ReadHalf<'_>, mut write: WriteHalf<'_>, control: &Control) -> Result<(), Broken> {
        let mut receiver = Receiver::new(read);
        let mut running: FuturesUnordered<Running> = FuturesUnordered::new();
        let limits = self.link.server.options.limits.clone();
        let stranger_until = Instant::now() + limits.stall;
        let mut reads = true;
        loop {
            if !reads && running.is_empty() {
                return Ok(());
            }
            if self.link.is_admitted.load(Ordering::Acquire) {
                self.seat.admit();
            }
            self.note_activity(running.is_empty());
            let draining = poll_fn(|context| match control.wish(context.waker()) {
                Wish::Run => Poll::Pending,
                Wish::Drain | Wish::Cut => Poll::Ready(()),
            });
            let is_stranger = self.seat.is_unadmitted();
            let may_read = reads && running.len() < limits.in_flight;
            let frame = tokio::select! {
                biased;
                done = running.select_next_some(), if !running.is_empty() => done?,
                early = self.early.recv() => early,
                () = draining, if reads => { reads = false; None }
                () = tokio::time::sleep_until(stranger_until), if is_stranger => return Err(Broken),
                received = receiver.next(&self.link, &mut self.account, limits.stall), if may_read => {
                    match received? {
                        Some((packet, charge)) => self.start(packet, charge, &mut running)?,
                        None => { reads = false; None }
                    }
                }
            };
            let mut frames = Vec::new();
            let mut notices = Vec::new();
            self.put_behind_early(frame, &mut frames, &mut notices);
            self.collect_ready(&mut running, &mut frames, &mut notices)?;
            frames.append(&mut notices);
            if !frames.is_empty() {
                self.write(&mut write, frames, limits.stall).await?;
            }
        }
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
        running: &mut FuturesUnordered<Running>,
        frames: &mut Vec<Frame>,
        notices: &mut Vec<Frame>,
    ) -> Result<(), Broken> {
        while frames.len() < FRAMES_AT_ONCE {
            if running.is_empty() {
                return Ok(());
            }
            let Some(Some(done)) = running.next().now_or_never() else { return Ok(()) };
            self.put_behind_early(done?, frames, notices);
        }
        Ok(())
    }

    /// Puts an answer behind the interim ones: its own may be among them. Notices wait.
    fn put_behind_early(&mut self, frame: Option<Frame>, frames: &mut Vec<Frame>, notices: &mut Vec<Frame>) {
        while let Ok(early) = self.early.try_recv() {
            if early.is_notice { notices.push(early) } else { frames.push(early) }
        }
        match frame {
            Some(notice) if notice.is_notice => notices.insert(0, notice),
            frame => frames.extend(frame),
        }
    }

    /// Starts what a frame asks for. Returns an answer that is there at once.
    fn start(
        &mut self,
        packet: receive::Received,
        charge: Charge,
        running: &mut FuturesUnordered<Running>,
    ) -> Result<Option<Frame>, Broken> {
        self.link.server.counts.requests.count();
        let batch = match packet {
            receive::Received::Batch(batch) => batch,
            receive::Received::Other(Packet::Smb1Negotiate(offered)) => {
                let answer = multi_protocol(&self.link, &offered).ok_or(Broken)?;
                let (head, payload) = answer.into_parts();
                let pieces: Vec<Bytes> = std::iter::once(head.freeze()).chain(payload).collect();
                return Frame::new(pieces).map(Some).ok_or(Broken);
            }
            receive::Received::Other(_) => return Err(Broken),
        };
        self.take_ids(&batch)?;
        let link = Arc::clone(&self.link);
        running.push(Box::pin(async move {
            let answered = calls::run(link, batch).await?;
            Ok(answered.map(|frame| Frame { _charge: Some(charge), ..frame }))
        }));
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
                tracing::debug!(peer = %self.link.peer, id = header.message_id, "connection closed: a message id out of turn");
                return Err(Broken);
            }
        }
        Ok(())
    }

    async fn write(&self, write: &mut WriteHalf<'_>, frames: Vec<Frame>, patience: Duration) -> Result<(), Broken> {
        let mut pieces: std::collections::VecDeque<Bytes> =
            frames.iter().flat_map(|frame| frame.pieces.clone()).collect();
        while !pieces.is_empty() {
            let slices: Vec<std::io::IoSlice<'_>> =
                pieces.iter().take(64).map(|piece| std::io::IoSlice::new(piece)).collect();
            let written = timeout(patience, write.write_vectored(&slices)).await;
            let mut written = written.map_err(|_| Broken)?.map_err(|_| Broken)?;
            if written == 0 {
                return Err(Broken);
            }
            self.link.server.counts.bytes_sent.add(written as u64);
            while let Some(first) = pieces.front_mut().filter(|_| written > 0) {
                let part = written.min(first.len());
                bytes::Buf::advance(first, part);
                written -= part;
                if first.is_empty() {
                    pieces.pop_front();
                }
            }
            while pieces.front().is_some_and(Bytes::is_empty) {
                pieces.pop_front();
            }
        }
        Ok(())
    }
}
