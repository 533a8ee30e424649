use std::collections::VecDeque;

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;

/// Receive buffers of one front, used again and never zeroed: fresh memory costs more than the receive itself.
///
/// A buffer comes back by [`BufferPool::retire`] while slices of it are still in use elsewhere. It is handed out again once the last
/// of them has been dropped; whoever drops it needs not know of the pool.
#[derive(Debug)]
pub(crate) struct BufferPool {
    classes: [Class; 3],
}

/// An empty buffer that starts at a page, or where its user wants it.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) bytes: BytesMut,
    class: Option<usize>,
}

#[derive(Debug)]
struct Class {
    capacity: usize,
    retired_max: usize,
    retired: Mutex<VecDeque<BytesMut>>,
}

/// Where the copy out of the kernel is fast.
const PAGE: usize = 4096;
/// How many retired buffers are asked whether they are free, before a new one is made.
const PROBES: usize = 8;
const RETIRED_BYTES_MAX: usize = 32 << 20;

impl BufferPool {
    /// A pool whose largest buffers hold a record of `record_bytes_max`.
    pub(crate) fn new(record_bytes_max: usize) -> Self {
        let class = |bytes: usize| {
            let capacity = bytes + PAGE;
            Class { capacity, retired_max: RETIRED_BYTES_MAX / capacity, retired: Mutex::default() }
        };
        Self { classes: [class(64 << 10), class(256 << 10), class(record_bytes_max.next_multiple_of(PAGE) + PAGE)] }
    }

    /// An empty buffer with room for `bytes`, whose byte number `aligned` will be the first of a page.
    pub(crate) fn acquire(&self, bytes: usize, aligned: usize) -> Buffer {
        let found = self.classes.iter().enumerate().find(|(_, class)| class.capacity >= bytes + PAGE);
        let Some((index, class)) = found else {
            return Buffer { bytes: BytesMut::with_capacity(bytes), class: None };
        };
        let mut bytes = class.reclaim().unwrap_or_else(|| BytesMut::with_capacity(class.capacity));
        align(&mut bytes, aligned);
        Buffer { bytes, class: Some(index) }
    }

    /// Takes a buffer back. Slices of it may still be in use.
    pub(crate) fn retire(&self, mut buffer: Buffer) {
        let Some(class) = buffer.class.and_then(|index| self.classes.get(index)) else { return };
        buffer.bytes.clear();
        let mut retired = class.retired.lock();
        if retired.len() < class.retired_max {
            retired.push_back(buffer.bytes);
        }
    }
}

impl Buffer {
    /// Gets back the room of what was split off and has been dropped, if nothing else uses the buffer. What is in it stays.
    pub(crate) fn reclaim(&mut self, bytes: usize) -> bool {
        let was_empty = self.bytes.is_empty();
        let additional = bytes.saturating_sub(self.bytes.len());
        let reclaimed = self.bytes.try_reclaim(additional);
        if reclaimed && was_empty && self.class.is_some() {
            align(&mut self.bytes, 0);
        }
        reclaimed
    }
}

impl Class {
    fn reclaim(&self) -> Option<BytesMut> {
        let mut retired = self.retired.lock();
        for _ in 0..PROBES.min(retired.len()) {
            let mut bytes = retired.pop_front()?;
            if bytes.try_reclaim(self.capacity) {
                return Some(bytes);
            }
            retired.push_back(bytes);
        }
        None
    }
}

/// Moves the start of an empty buffer so that its byte number `aligned` is the first of a page.
fn align(bytes: &mut BytesMut, aligned: usize) {
    let padding = bytes.as_ptr().wrapping_add(aligned).align_offset(PAGE);
    if padding > 0 && padding < PAGE && bytes.capacity() > padding {
        bytes.resize(padding, 0);
        bytes.advance(padding);
    }
}

#[cfg(test)]
mod tests;
