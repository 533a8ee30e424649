//! Bytes in several parts, as they leave.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

/// Zeros for holes: large holes are answered by many references to these.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The bytes of a reply, in order.
pub(in crate::volume) type Segments = SmallVec<[Bytes; 4]>;

/// Adds zeros.
pub(in crate::volume) fn zeros(mut length: u64, out: &mut impl Extend<Bytes>) {
    while length > 0 {
        let part = length.min(ZEROS.len() as u64);
        out.extend([Bytes::from_static(&ZEROS[..part as usize])]);
        length -= part;
    }
}

/// Below this a copy takes less than a reference, whose memory is 32 bytes and a count.
const SHORT: usize = 64;

/// Segments of which short ones are copied together: a block may consist of millions of single bytes.
#[derive(Default)]
pub(in crate::volume) struct Joined {
    whole: Segments,
    short: BytesMut,
}

impl Joined {
    /// Adds bytes behind all others.
    pub(in crate::volume) fn push(&mut self, bytes: Bytes) {
        if bytes.len() < SHORT {
            self.short.extend_from_slice(&bytes);
        } else {
            self.close();
            self.whole.push(bytes);
        }
    }

    /// All bytes, in order.
    pub(in crate::volume) fn finish(mut self) -> Segments {
        self.close();
        self.whole
    }

    fn close(&mut self) {
        if !self.short.is_empty() {
            self.whole.push(self.short.split().freeze());
        }
    }
}

impl Extend<Bytes> for Joined {
    fn extend<I: IntoIterator<Item = Bytes>>(&mut self, segments: I) {
        segments.into_iter().for_each(|bytes| self.push(bytes));
    }
}

#[cfg(test)]
mod tests;
