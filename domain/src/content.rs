//! The map of a file: which bytes of it are where.
//!
//! Rows are kept for each page (1 MiB in production). A row is a [`MapRow::Page`], whose extents tile the page, or a
//! [`MapRow::Holes`] that covers many pages. The row of a page is the one with the greatest key at or below it; where
//! no row covers a page below the end of the file the map is damaged, and that is an error, never zeros.

pub mod block;
mod checksum;
pub mod map;
pub mod object;
pub mod page;
pub mod replay_exclusions;
mod row;
pub mod slices;

pub use checksum::{Checksum, checksum};
pub use replay_exclusions::{REPLAY_EXCLUSIONS_MAX, ReplayExclusion, ReplayExclusions, ReplayUpdate};
pub use row::{BlockPlace, Extent, MapRow, PageExtents, PendingTruncation, Stored};
pub use slices::Place;

/// Bytes of a page, the unit of a file's map, in production: rules take it from the share's [`crate::Scale`]. The size
/// of the longest READ and WRITE of NFSv3, so that either touches one row or two.
pub const PAGE_BYTES: u64 = 1 << 20;
/// Bytes of a chunk, the unit of scheduling and of an object's references, in production. The size of the greatest
/// object: a file that was written in order has one reference or two for each.
pub const CHUNK_BYTES: u64 = 64 << 20;
/// The greatest raw length of a block under any scale. A region: few requests for a file that is read in order, and not
/// much is written again for a small change.
pub const BLOCK_BYTES_MAX: u32 = 4 << 20;
/// Raw bytes of each frame of a block but its last. A random read fetches and checks one; four times as much made it
/// four times as expensive, while a MiB in 32 pieces costs about 10 us more than in 8 (decision 0013).
pub const FRAME_BYTES: u32 = 32 << 10;
/// The greatest size of a file, in bytes (2^63 - 1).
pub const FILE_BYTES_MAX: u64 = i64::MAX as u64;
/// Extents that a page may hold before its region is compacted, in production. Random writes of 4 KiB are written about
/// ten times over by it; fewer extents would cost more of that, more extents longer rows (decision 0003).
pub const EXTENTS_PER_PAGE_MAX: usize = 32;
