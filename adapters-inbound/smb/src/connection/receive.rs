//! From bytes to requests.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::BytesMut;
use dittofs_smb_security::sealing::TransformHeader;
use dittofs_smb_wire::{
    Compound, NtStatus, Packet, Request,
    frame::{self, HEADER_SIZE},
    request::RequestError,
};
use dittofs_transport::{Account, Charge};
use tokio::{io::AsyncReadExt, net::tcp::ReadHalf};

use super::{REQUEST_BYTES, pace::Pace};
use crate::{
    calls::{Batch, Broken, answers_bytes},
    link::Link,
    negotiation::LARGE_IO_BYTES_MAX,
    session::Session,
};

/// Requests of one frame.
const REQUESTS_MAX: usize = 64;
/// Bytes of a frame from who has not logged on.
const STRANGER_FRAME_MAX: usize = 64 << 10;
/// Bytes of a frame besides what is written: headers of a compound.
const HEADERS_MAX: usize = 64 << 10;
/// A frame, and an answer, from this length on are large: who waits for the room of the one must not hold the other.
const LARGE: usize = 64 << 10;
/// Bytes that are read at once where no frame is known to be longer.
const READ_BYTES: usize = 64 << 10;

/// What a frame has.
pub(super) enum Received {
    Batch(Batch),
    /// What is no request of SMB 2.
    Other(Packet),
}

/// The receiving half of a connection.
pub(super) struct Receiver<'a> {
    read: ReadHalf<'a>,
    buffer: BytesMut,
    /// A frame that waits for room for its answer.
    ready: Option<(Received, usize)>,
    /// The room that the frame takes which is being received.
    charge: Option<Charge>,
    /// The length of the newest frame.
    frame_bytes: usize,
    /// How many further bytes are needed.
    missing: usize,
    /// Whether the frame goes on as it must.
    pace: Pace,
}

impl<'a> Receiver<'a> {
    pub(super) fn new(read: ReadHalf<'a>) -> Receiver<'a> {
        Receiver {
            read,
            buffer: BytesMut::new(),
            ready: None,
            charge: None,
            frame_bytes: 0,
            missing: HEADER_SIZE,
            pace: Pace::new(),
        }
    }

    /// Nothing is read for a while: the client is not waited for.
    pub(super) fn rest(&mut self) {
        self.pace.end();
    }

    /// Whether a whole frame is here.
    pub(super) fn has_frame(&self) -> bool {
        self.ready.is_some() || frame::is_whole(&self.buffer)
    }

    /// The next frame, with the room that it takes; none at the end. May be dropped and called again.
    pub(super) async fn next(
        &mut self,
        link: &Arc<Link>,
        account: &Account,
        patience: Duration,
    ) -> Result<Option<(Received, Charge)>, Broken> {
        loop {
            if let Some((_, answer)) = &self.ready {
                let bytes = REQUEST_BYTES + answer;
                let room = match self.frame_bytes > LARGE && bytes > LARGE {
                    // Several that hold the one and wait for the other would wait for each other for ever.
                    true => account.try_charge(bytes).ok_or_else(|| {
                        let peer = link.peer;
                        tracing::info!(%peer, "connection closed: no room for a frame that is large both ways");
                        Broken
                    })?,
                    false => poll_fn(|context| account.poll_charge(bytes, context)).await,
                };
                let Some((received, _)) = self.ready.take() else { continue };
                let mut charge = self.charge.take().map_or_else(|| account.try_charge(0), Some).ok_or(Broken)?;
                charge.merge(room);
                return Ok(Some((received, charge)));
            }
            let is_stranger = !link.is_admitted.load(std::sync::atomic::Ordering::Acquire);
            let length_max = if is_stranger { STRANGER_FRAME_MAX } else { LARGE_IO_BYTES_MAX as usize + HEADERS_MAX };
            match frame::decode(&mut self.buffer, length_max) {
                Ok(frame::Progress::Message(message)) => {
                    self.missing = HEADER_SIZE;
                    self.pace.end();
                    self.frame_bytes = message.len();
                    let received = requests(link, message)?;
                    let answer = match &received {
                        Received::Batch(batch) => answers_bytes(&batch.requests),
                        Received::Other(_) => 0,
                    };
                    self.ready = Some((received, answer));
                }
                Ok(frame::Progress::Missing(missing)) => {
                    self.missing = missing;
                    if self.charge.is_none() && self.buffer.len() >= HEADER_SIZE {
                        // Before the bytes are there: a client must not make the server hold what there is no room for.
                        let bytes = self.buffer.len() + missing;
                        self.charge = Some(poll_fn(|context| account.poll_charge(bytes, context)).await);
                    }
                    if !self.fill(link, account, patience).await? {
                        return Ok(None);
                    }
                }
                Err(error) => {
                    tracing::debug!(peer = %link.peer, %error, "connection closed");
                    return Err(Broken);
                }
            }
        }
    }

    /// Reads more; false at the end.
    async fn fill(&mut self, link: &Link, account: &Account, patience: Duration) -> Result<bool, Broken> {
        self.buffer.reserve(self.missing.max(READ_BYTES));
        let read = self.read.read_buf(&mut self.buffer);
        // A frame must go on; between frames a client may be silent.
        let count = match self.charge.is_some() {
            true => self.pace.within(patience, account, read).await?,
            false => read.await.map_err(|_| Broken)?,
        };
        self.pace.moved(count);
        link.server.counts.bytes_received.add(count as u64);
        Ok(count > 0)
    }
}

/// Opens a frame, and reads its requests.
fn requests(link: &Arc<Link>, message: BytesMut) -> Result<Received, Broken> {
    let (plain, sealed) = match message.first_chunk() {
        Some(&TransformHeader::PROTOCOL_ID) => {
            let (message, session) = opened(link, message)?;
            (message.freeze(), Some(session))
        }
        _ => match Packet::decode(message).map_err(|_| Broken)? {
            Packet::Plain(message) => (message, None),
            other => return Ok(Received::Other(other)),
        },
    };
    let compound = Compound::decode(plain, REQUESTS_MAX).map_err(|_| Broken)?;
    let read = |message: dittofs_smb_wire::Message| {
        let request = Request::decode(message.header.command, &message.bytes).map_err(|error| match error {
            RequestError::Malformed(_) | RequestError::UnknownCommand(_) => NtStatus::INVALID_PARAMETER,
        });
        (message, request)
    };
    Ok(Received::Batch(Batch { requests: compound.map(read).collect(), sealed }))
}

/// Opens a sealed message. One that can't be opened ends the connection (MS-SMB2, 3.3.5.2.1.1).
fn opened(link: &Link, message: BytesMut) -> Result<(BytesMut, Arc<Session>), Broken> {
    let header = TransformHeader::decode(&message).map_err(|_| Broken)?;
    let session = link.session(header.session_id).map_err(|_| Broken)?;
    let (_, opener) = session.keys.sealing.as_ref().ok_or(Broken)?;
    let message = opener.open(message).map_err(|error| {
        tracing::debug!(peer = %link.peer, %error, "connection closed: a message could not be opened");
        Broken
    })?;
    Ok((message, session))
}
