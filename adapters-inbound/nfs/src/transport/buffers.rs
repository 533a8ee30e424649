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
/// How many retired buffers are asked whether they are free, before a new one is made. Those that were used last are
/// asked first; where eight of them are in use the others mostly are as well.
const PROBES: usize = 8;
/// Of each size; more is no faster.
const RETIRED_BYTES_MAX: usize = 32 << 20;

impl BufferPool {
    /// A pool whose largest buffers hold a record of `record_bytes_max`, and that keeps at most so many bytes of each of its three
    /// sizes.
    pub(crate) fn new(record_bytes_max: usize, retired_bytes_max: usize) -> Self {
        let class = |bytes: usize| {
            let capacity = bytes + PAGE;
            let retired_max = retired_bytes_max.min(RETIRED_BYTES_MAX) / capacity;
            Class { capacity, retired_max, retired: Mutex::default() }
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

    /// The bytes that a buffer takes which [`BufferPool::acquire`] gives for `bytes`.
    pub(crate) fn bytes_for(&self, bytes: usize) -> usize {
        self.classes.iter().map(|class| class.capacity).find(|capacity| *capacity >= bytes + PAGE).unwrap_or(bytes)
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
    /// A buffer of no pool, with no more room than for these bytes.
    pub(crate) fn holding(bytes: &[u8]) -> Buffer {
        Buffer { bytes: BytesMut::from(bytes), class: None }
    }

    /// Whether it is one of a pool's, and not merely as long as what is in it.
    pub(crate) fn is_pooled(&self) -> bool {
        self.class.is_some()
    }

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
    /// The buffer that was used last, since its memory is in the processor's cache.
    fn reclaim(&self) -> Option<BytesMut> {
        let mut retired = self.retired.lock();
        for _ in 0..PROBES.min(retired.len()) {
            let mut bytes = retired.pop_back()?;
            if bytes.try_reclaim(self.capacity) {
                return Some(bytes);
            }
            retired.push_front(bytes);
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
