//! Which files are committed without an object.

use crate::content::slices::SliceIndex;

/// Slices of a file that go into its map at most: each is an extent there until the next flush.
pub const INLINE_SLICES_MAX: usize = 8;

/// Whether what is unflushed of a file goes into its map, if somebody waits for it to be durable: not where it would make
/// the map's rows large.
pub fn goes_inline(slices: &SliceIndex, bytes_max: u32) -> bool {
    !slices.is_empty() && slices.bytes() <= u64::from(bytes_max) && slices.len() <= INLINE_SLICES_MAX
}

#[cfg(test)]
mod tests;
