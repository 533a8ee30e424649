//! Bytes in several parts, taken in runs of given lengths.

use bytes::{Bytes, BytesMut};

/// The bytes that a content store has answered, in parts.
pub(super) struct Parts {
    parts: std::vec::IntoIter<Bytes>,
    first: Bytes,
}

impl Parts {
    pub(super) fn new(parts: Vec<Bytes>) -> Parts {
        Parts { parts: parts.into_iter(), first: Bytes::new() }
    }

    /// The next bytes, in memory of their own: as a piece of what came they would keep all of it in the cache.
    pub(super) fn take(&mut self, length: usize) -> Option<Bytes> {
        let mut whole = BytesMut::with_capacity(length);
        while whole.len() < length {
            if self.first.is_empty() {
                self.first = self.parts.next()?;
            }
            let wanted = (length - whole.len()).min(self.first.len());
            whole.extend_from_slice(&self.first.split_to(wanted));
        }
        Some(whole.freeze())
    }

    /// Returns the bytes that were not taken.
    pub(super) fn rest(self) -> Vec<Bytes> {
        let first = (!self.first.is_empty()).then_some(self.first);
        first.into_iter().chain(self.parts).collect()
    }
}
