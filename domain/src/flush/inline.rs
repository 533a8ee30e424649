//! Which files are committed without an object.

use crate::{bugs, content::slices::SliceIndex, id::Sequence};

/// Slices of a file that go into its map at most: each is an extent there until the next flush.
pub const INLINE_SLICES_MAX: usize = 8;

/// Whether what is unflushed of a file goes into its map, if somebody waits for it to be durable: not where it would make
/// the map's rows large.
pub fn goes_inline(slices: &SliceIndex, bytes_max: u32) -> bool {
    !slices.is_empty() && slices.bytes() <= u64::from(bytes_max) && slices.len() <= INLINE_SLICES_MAX
}

/// Whether all records up to one are in the file's map, where those up to `in_map` are.
pub fn is_committed(in_map: Sequence, up_to: Sequence) -> bool {
    in_map >= up_to || (bugs::has(bugs::Bug::CommittedEarly) && in_map.0 + 1 >= up_to.0)
}

/// Whether a flush must leave a file's map alone, since a commit has put all that the flush took, and newer bytes, there
/// meanwhile: `in_map` is the record up to which all was in the map when the flush took the file, `now` the same of now.
pub fn is_outdone(in_map: Sequence, now: Sequence) -> bool {
    now > in_map
}

#[cfg(test)]
mod tests;
