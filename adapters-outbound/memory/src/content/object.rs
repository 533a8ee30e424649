//! One object: the parts that it was put as.

use std::ops::Range;

use bytes::Bytes;

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    /// Each with the offset at which it ends; none is empty.
    parts: Vec<(u64, Bytes)>,
}

impl Object {
    pub(super) fn new(parts: Vec<Bytes>) -> Object {
        let mut end = 0;
        let parts = parts.into_iter().filter(|part| !part.is_empty()).map(|part| {
            end += part.len() as u64;
            (end, part)
        });
        Object { parts: parts.collect() }
    }

    pub(super) fn len(&self) -> u64 {
        self.parts.last().map_or(0, |(end, _)| *end)
    }

    /// A range, as slices of the parts; none if it is empty or the object does not reach that far.
    pub(super) fn range(&self, range: Range<u64>) -> Option<Vec<Bytes>> {
        if range.start >= range.end || range.end > self.len() {
            return None;
        }
        let first = self.parts.partition_point(|(end, _)| *end <= range.start);
        let slices = self.parts.get(first..)?.iter().map_while(|(end, part)| {
            let start = end - part.len() as u64;
            let from = range.start.saturating_sub(start) as usize;
            let to = (range.end.checked_sub(start)?).min(part.len() as u64) as usize;
            (from < to).then(|| part.slice(from..to))
        });
        Some(slices.collect())
    }

    /// Whether two objects hold the same, however it is divided into parts.
    pub(super) fn same_bytes(&self, other: &Object) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let mut theirs: &[u8] = &[];
        let mut more = other.parts.iter();
        for (_, part) in &self.parts {
            let mut ours: &[u8] = part;
            while !ours.is_empty() {
                if theirs.is_empty() {
                    theirs = more.next().map_or(&[], |(_, part)| part);
                }
                let common = ours.len().min(theirs.len());
                let ((our, our_rest), (their, their_rest)) = (ours.split_at(common), theirs.split_at(common));
                if common == 0 || our != their {
                    return false;
                }
                (ours, theirs) = (our_rest, their_rest);
            }
        }
        true
    }
}
