use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::buffers::{Buffer, BufferPool};
use crate::rpc::{RecordError, RecordReader};

/// The receiving side of a connection.
///
/// Small records come through one buffer that is filled as far as it goes. A large one gets a buffer of its own, placed so that its
/// *end*, and with it the start of a payload of whole pages, is at a page's edge; the kernel then copies straight into place.
pub(crate) struct Receiver {
    pool: Arc<BufferPool>,
    reader: RecordReader,
    stream: Buffer,
    large: Option<Large>,
    /// After a large record another one is likely: little is then read ahead, since it would have to be moved.
    last_was_large: bool,
}

struct Large {
    buffer: Buffer,
    total: usize,
}

const MARK_BYTES: usize = 4;
const STREAM_BYTES: usize = 64 << 10;
/// Records from this size on are large. Smaller ones always fit into the stream's buffer.
const LARGE_BYTES_MIN: usize = 16 << 10;
/// So much of a large record must have come before it gets a buffer: a header alone gets nothing.
const LARGE_HEAD_BYTES: usize = 1024;
const READ_AHEAD_BYTES: usize = 4096;

impl Receiver {
    pub(crate) fn new(pool: Arc<BufferPool>, record_bytes_max: usize) -> Self {
        let stream = pool.acquire(STREAM_BYTES, 0);
        Self { pool, reader: RecordReader::new(record_bytes_max), stream, large: None, last_was_large: false }
    }

    /// The next complete record among the bytes that have come.
    pub(crate) fn next_record(&mut self) -> Result<Option<Bytes>, RecordError> {
        if self.large.is_some() {
            return Ok(self.finish_large());
        }
        let record = self.reader.next(&mut self.stream.bytes)?;
        match &record {
            Some(_) => self.last_was_large = false,
            None => self.begin_large(),
        }
        Ok(record)
    }

    /// Reads once. Zero bytes mean that the client sends no more.
    pub(crate) fn poll_fill(
        &mut self,
        context: &mut Context<'_>,
        socket: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<usize>> {
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

    /// Whether a record has begun to come and isn't complete.
    pub(crate) fn is_inside_record(&self) -> bool {
        self.large.is_some() || self.reader.is_inside_record(&self.stream.bytes)
    }

    fn begin_large(&mut self) {
        let stream = &mut self.stream.bytes;
        let Some(total) = self.reader.whole_record_bytes(stream) else { return };
        if total < LARGE_BYTES_MIN || stream.len() < LARGE_HEAD_BYTES {
            return;
        }
        let mut buffer = self.pool.acquire(total, total);
        buffer.bytes.extend_from_slice(stream);
        stream.clear();
        self.large = Some(Large { buffer, total });
    }

    fn finish_large(&mut self) -> Option<Bytes> {
        let mut large = self.large.take_if(|large| large.buffer.bytes.len() >= large.total)?;
        let mut record = large.buffer.bytes.split_to(large.total).freeze();
        record.advance(MARK_BYTES);
        self.pool.retire(large.buffer);
        self.last_was_large = true;
        Some(record)
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
        let nothing = Buffer::default();
        self.pool.retire(std::mem::replace(&mut self.stream, nothing));
        if let Some(large) = self.large.take() {
            self.pool.retire(large.buffer);
        }
    }
}
