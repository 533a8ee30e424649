use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes};
use dittofs_transport::Charge;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::buffers::{Buffer, BufferPool};
use crate::rpc::{RecordError, RecordReader};

/// The receiving side of a connection.
///
/// Small records come through one buffer that is filled as far as it goes. A large one gets a buffer of its own, placed so that its
/// *end*, and with it the start of a payload of whole pages, is at a page's edge; the kernel then copies straight into place. A
/// connection from which nothing comes has no buffer.
pub(crate) struct Receiver {
    pool: Arc<BufferPool>,
    reader: RecordReader,
    record_bytes_max: usize,
    stream: Buffer,
    large: Option<Large>,
    /// Room for a record whose fragments are being joined.
    joining: Option<Charge>,
    /// After a large record another one is likely: little is then read ahead, since it would have to be moved.
    last_was_large: bool,
}

/// The next item in the bytes that have come.
pub(crate) enum Next {
    Record(Record),
    /// A large record, for which there must be room for so many bytes first: [`Receiver::give_room`].
    Room(usize),
    /// More bytes have to come.
    Nothing,
}

/// A complete record.
pub(crate) struct Record {
    pub(crate) bytes: Bytes,
    /// Room for it, if it is large.
    pub(crate) charge: Option<Charge>,
}

struct Large {
    buffer: Buffer,
    total: usize,
    charge: Charge,
}

const MARK_BYTES: usize = 4;
/// The buffer into which each connection receives. It holds a hundred and more small calls at once, and
/// `MemoryBudget::OWN_BYTES` counts it.
const STREAM_BYTES: usize = 64 << 10;
/// Records from this size on are large. Smaller ones always fit into the stream's buffer. Large ones get memory from
/// the budget before they get a buffer of their own.
const LARGE_BYTES_MIN: usize = 16 << 10;
/// So much of a large record must have come before it gets a buffer: a header alone gets nothing.
const LARGE_HEAD_BYTES: usize = 1024;
/// Read beside a large record's end: the head of the next one, which then has its data received where they are to lie.
const READ_AHEAD_BYTES: usize = 4096;
/// Smaller records are copied out of the stream's buffer. A call that waits would keep all of that buffer otherwise. A
/// copy costs 50 ns.
const COPIED_BYTES_MAX: usize = 4096;

impl Receiver {
    pub(crate) fn new(pool: Arc<BufferPool>, record_bytes_max: usize) -> Self {
        Self {
            pool,
            reader: RecordReader::new(record_bytes_max),
            record_bytes_max,
            stream: Buffer::default(),
            large: None,
            joining: None,
            last_was_large: false,
        }
    }

    /// The next complete record among the bytes that have come.
    pub(crate) fn next(&mut self) -> Result<Next, RecordError> {
        if self.large.is_some() {
            return Ok(self.finish_large().map_or(Next::Nothing, Next::Record));
        }
        Ok(match self.reader.next(&mut self.stream.bytes)? {
            Some(bytes) => {
                self.last_was_large = false;
                let charge = self.joining.take();
                let is_small = bytes.len() < COPIED_BYTES_MAX;
                Next::Record(Record { bytes: if is_small { Bytes::copy_from_slice(&bytes) } else { bytes }, charge })
            }
            None => self.room_needed().map_or(Next::Nothing, Next::Room),
        })
    }

    /// Takes the room that [`Next::Room`] asked for.
    pub(crate) fn give_room(&mut self, charge: Charge) {
        match self.large_total() {
            Some(total) => {
                let stream = &mut self.stream.bytes;
                let mut buffer = self.pool.acquire(total, total);
                buffer.bytes.extend_from_slice(stream);
                stream.clear();
                self.large = Some(Large { buffer, total, charge });
            }
            None => self.joining = Some(charge),
        }
    }

    /// Reads once. Zero bytes mean that the client sends no more.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>, socket: &mut TcpStream) -> Poll<io::Result<usize>> {
        if self.large.is_none() && !self.stream.is_pooled() {
            ready!(socket.poll_read_ready(context))?;
        }
        let (bytes, limit) = match &mut self.large {
            Some(large) => {
                let limit = large.total - large.buffer.bytes.len();
                (&mut large.buffer.bytes, limit)
            }
            None => {
                self.make_room();
                let bytes = &mut self.stream.bytes;
                let room = bytes.capacity() - bytes.len();
                let ahead = if self.last_was_large { READ_AHEAD_BYTES } else { room };
                (bytes, ahead.min(room))
            }
        };
        pin!(socket.read_buf(&mut bytes.limit(limit))).poll(context)
    }

    /// Nothing comes for now: lets go of the buffer, but for the bytes in it.
    pub(crate) fn rest(&mut self) {
        if !self.stream.is_pooled() {
            return;
        }
        let kept = Buffer::holding(&self.stream.bytes);
        self.pool.retire(std::mem::replace(&mut self.stream, kept));
    }

    /// Whether a record has begun to come and isn't complete.
    pub(crate) fn is_inside_record(&self) -> bool {
        self.large.is_some() || self.reader.is_inside_record(&self.stream.bytes)
    }

    /// Whether a record that has begun to come holds room that others could use.
    pub(crate) fn holds_room(&self) -> bool {
        self.large.is_some() || self.joining.is_some()
    }

    /// Forgets what has come, and gives back its room.
    pub(crate) fn discard(&mut self) {
        self.pool.retire(std::mem::take(&mut self.stream));
        if let Some(large) = self.large.take() {
            self.pool.retire(large.buffer);
        }
        self.joining = None;
    }

    fn room_needed(&self) -> Option<usize> {
        let joined = self.reader.joined_bytes() >= LARGE_BYTES_MIN && self.joining.is_none();
        let joined = joined.then_some(self.record_bytes_max);
        self.large_total().map(|total| self.pool.bytes_for(total)).or(joined)
    }

    /// The length of the large record whose head has come.
    fn large_total(&self) -> Option<usize> {
        let stream = &self.stream.bytes;
        let total = self.reader.whole_record_bytes(stream)?;
        (total >= LARGE_BYTES_MIN && stream.len() >= LARGE_HEAD_BYTES).then_some(total)
    }

    fn finish_large(&mut self) -> Option<Record> {
        let mut large = self.large.take_if(|large| large.buffer.bytes.len() >= large.total)?;
        let mut bytes = large.buffer.bytes.split_to(large.total).freeze();
        bytes.advance(MARK_BYTES);
        self.pool.retire(large.buffer);
        self.last_was_large = true;
        Some(Record { bytes, charge: Some(large.charge) })
    }

    /// Makes room for at least the rest of a small record.
    fn make_room(&mut self) {
        let stream = &mut self.stream;
        if stream.bytes.is_empty() && stream.reclaim(STREAM_BYTES) {
            return;
        }
        if stream.bytes.capacity() - stream.bytes.len() >= LARGE_BYTES_MIN || stream.reclaim(STREAM_BYTES) {
            return;
        }
        let mut fresh = self.pool.acquire(STREAM_BYTES, 0);
        fresh.bytes.extend_from_slice(&stream.bytes);
        self.pool.retire(std::mem::replace(stream, fresh));
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.discard();
    }
}
