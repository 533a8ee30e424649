//! Ranges of byte-range locks.

/// A range of the 2^64 bytes that can be locked (whether or not the file has them): from one byte to another, both
/// included, or no byte at all but a place between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockRange {
    first: u64,
    last: Option<u64>,
}

impl LockRange {
    /// `length` bytes from `offset`; a length of 0 is a zero-length range (MS-SMB2, 2.2.26.1). `None` where it
    /// would end beyond the last of 2^64 bytes.
    ///
    /// NFSv4 refuses lengths of 0 and takes all ones for [`LockRange::to_end`] (RFC 8881, 18.10.3); NLM takes 0 for
    /// it (XNFS, NLM_LOCK).
    pub const fn exact(offset: u64, length: u64) -> Option<LockRange> {
        if length == 0 {
            return Some(LockRange { first: offset, last: None });
        }
        match offset.checked_add(length - 1) {
            Some(last) => Some(LockRange { first: offset, last: Some(last) }),
            None => None,
        }
    }

    /// From `offset` to the end, however far the file may grow.
    pub const fn to_end(offset: u64) -> LockRange {
        LockRange { first: offset, last: Some(u64::MAX) }
    }

    /// The first byte, or the place of a zero-length range.
    pub const fn offset(self) -> u64 {
        self.first
    }

    /// The last byte; `None` for a zero-length range.
    pub const fn last(self) -> Option<u64> {
        self.last
    }

    /// How many bytes; `None` to the end.
    pub const fn length(self) -> Option<u64> {
        match self.last {
            None => Some(0),
            Some(u64::MAX) => None,
            Some(last) => Some(last - self.first + 1),
        }
    }

    /// Whether it covers no byte.
    pub const fn is_empty(self) -> bool {
        self.last.is_none()
    }

    /// Whether two ranges are in each other's way: they share a byte, or one is a place strictly inside the other
    /// (MS-FSA, 2.1.4.10).
    pub const fn overlaps(self, other: LockRange) -> bool {
        match (self.last, other.last) {
            (Some(a), Some(b)) => self.first <= b && other.first <= a,
            (None, Some(b)) => other.first < self.first && self.first <= b,
            (Some(a), None) => self.first < other.first && other.first <= a,
            (None, None) => false,
        }
    }

    /// Whether two ranges of bytes overlap or follow on one another.
    pub(super) const fn touches(self, other: LockRange) -> bool {
        match (self.last, other.last) {
            (Some(a), Some(b)) => self.first <= b.saturating_add(1) && other.first <= a.saturating_add(1),
            _ => false,
        }
    }

    /// The smallest range that covers both.
    pub(super) fn cover(self, other: LockRange) -> LockRange {
        LockRange { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Returns the parts of this range of bytes that another one does not cover.
    pub(super) fn without(self, other: LockRange) -> [Option<LockRange>; 2] {
        let (Some(last), Some(cut_last)) = (self.last, other.last) else { return [Some(self), None] };
        if !self.overlaps(other) {
            return [Some(self), None];
        }
        let before = other.first.checked_sub(1).filter(|end| self.first <= *end);
        let after = cut_last.checked_add(1).filter(|start| *start <= last);
        [
            before.map(|end| LockRange { first: self.first, last: Some(end) }),
            after.map(|start| LockRange { first: start, last: Some(last) }),
        ]
    }
}
