//! Memory for the data of records.
//!
//! Fresh memory costs a page fault for every 4 KiB, which is several times the copy itself: large buffers are kept
//! and used again, and are never zeroed.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// From this length on, buffers are recycled: an allocator serves shorter ones from memory that it has.
const RECYCLED_MIN: usize = 256 << 10;
/// Up to this length. Four transfers of NFSv3: what is longer is rare enough to be made anew.
const RECYCLED_MAX: usize = 4 << 20;
/// Lengths of recycled buffers: powers of two from the least to the greatest.
const CLASSES: usize = (RECYCLED_MAX / RECYCLED_MIN).ilog2() as usize + 1;
/// Bytes of unused buffers that are kept. As much as one connection may have in flight.
const IDLE_BYTES_MAX: usize = 32 << 20;
/// Data start at a multiple of this: the kernel copies to and from whole pages much faster.
const ALIGNMENT: usize = 4_096;

/// A bounded list of unused buffers.
#[derive(Default)]
pub(crate) struct Buffers {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    classes: [Vec<Vec<u8>>; CLASSES],
    bytes: usize,
}

/// A buffer that goes back when the last slice of it is gone.
struct Recycled {
    memory: Vec<u8>,
    start: usize,
    class: usize,
    home: Arc<Buffers>,
}

impl Buffers {
    /// How much memory a copy of so many bytes takes.
    pub(crate) fn allocated(len: usize) -> usize {
        class(len).map_or(len, class_bytes)
    }

    /// Copies data into memory of their own.
    pub(crate) fn copy(self: &Arc<Self>, data: &[u8]) -> Bytes {
        let Some(class) = class(data.len()) else {
            return Bytes::copy_from_slice(data);
        };
        let idle = self.take(class);
        let mut memory = idle.unwrap_or_else(|| Vec::with_capacity(class_bytes(class)));
        memory.clear();
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        let start = if start < ALIGNMENT { start } else { 0 };
        memory.resize(start, 0);
        memory.extend_from_slice(data);
        Bytes::from_owner(Recycled { memory, start, class, home: Arc::clone(self) })
    }

    fn take(&self, class: usize) -> Option<Vec<u8>> {
        let mut idle = self.idle.lock();
        let memory = idle.classes.get_mut(class)?.pop()?;
        idle.bytes -= class_bytes(class);
        Some(memory)
    }

    fn give_back(&self, class: usize, memory: Vec<u8>) {
        let mut idle = self.idle.lock();
        let bytes = idle.bytes + class_bytes(class);
        if bytes <= IDLE_BYTES_MAX
            && let Some(buffers) = idle.classes.get_mut(class)
        {
            buffers.push(memory);
            idle.bytes = bytes;
        }
    }
}

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(self.start..).unwrap_or_default()
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        self.home.give_back(self.class, std::mem::take(&mut self.memory));
    }
}

/// Which buffers data of a length go into, if into recycled ones.
fn class(len: usize) -> Option<usize> {
    (RECYCLED_MIN..=RECYCLED_MAX).contains(&len).then(|| (len.next_power_of_two() / RECYCLED_MIN).ilog2() as usize)
}

fn class_bytes(class: usize) -> usize {
    (RECYCLED_MIN << class) + ALIGNMENT
}

#[cfg(test)]
mod tests;
