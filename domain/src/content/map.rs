//! Operations on the rows of a file's map.
//!
//! # Invariants
//! * Rows tile the pages `0 .. facts.map_pages()` exactly: no page is without a row, no two rows cover one page, none
//!   lies behind. That number is the pages of the size or the `end_page` of a [`PendingTruncation`], whichever is
//!   greater. So "the row with the greatest key at or below a page" is the row that covers it, and a page without one
//!   is damage.
//! * Behind the size every byte of a row reads as hole.
//! * With a pending truncation, every page below its `end_page` is therefore covered by an older row (only its bytes
//!   before the truncation's offset count) or by a newer one. A hole run that is written when the file grows begins at
//!   `end_page`, not at the old size: laid over older rows it would be hidden by each of their keys, and the pages
//!   between these keys would be left without a cover. [`cover`] splits it.
//! * References are the set of (object, chunk) of the rows as they stand, truncated bytes included; the same holds for
//!   `allocated`, which is the sum of what is not hole.
//!
//! # Duties of callers
//! Each edit is decided on one view and says what to change in it. So edits of one node's map must be applied one after
//! another: under the node's lock, or with an expectation that nobody else edited it. Truncate and punch raise the
//! content version. A flush that began before expects the old one: it then drops the bytes that were removed, and tries
//! again.

mod clone;
mod copied;
mod edit;
mod install;
mod read;
mod reap;
mod replace;
mod rows;
mod sparse;
mod truncate;

pub use clone::{clone_pieces, clone_query};
pub use copied::{current, still_there};
pub use edit::{Edit, is_inline, is_packed, lost};
pub use install::{INSTALL_CHUNKS_MAX, Installed, batches, cut_behind_written, install, install_query, is_one_install};
pub use read::{page, resolve, resolve_known, resolve_query};
pub use reap::{ReapCursor, Reaped, ReapedNode, reap_node, reap_node_query, reap_truncation, reap_truncation_query};
pub use replace::{Replaced, punch, replace, replace_query};
pub use sparse::data_ranges;
pub use truncate::{Truncation, cover, truncate, truncate_query};

use std::ops::Range;

use bytes::Bytes;

use super::{Extent, PendingTruncation, Stored};
use crate::{
    error::FsError,
    id::{ContentVersion, NodeId},
    node::Node,
    scale::Scale,
};

/// Why a map can't be read or edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// No row covers a page below the end: the map is damaged.
    #[error("no row covers page {page}")]
    Uncovered {
        /// The page.
        page: u64,
    },
    /// The view has not all rows that the operation needs: ask for more of them, or for less at once.
    #[error("the view ends before page {page}")]
    Incomplete {
        /// The first page that is not in it.
        page: u64,
    },
    /// A page's extents don't tile it: the map is damaged.
    #[error("the extents of page {page} do not tile it")]
    Malformed {
        /// The page.
        page: u64,
    },
    /// The map has other bytes in a range than when a flush took newer ones for it: what it would publish might be
    /// the older ones by now.
    #[error("the bytes from {offset} on have been published from elsewhere meanwhile")]
    Newer {
        /// Where in the file.
        offset: u64,
    },
    /// A piece that is empty, reaches behind the new size, or is not inside its block.
    #[error("bad piece at {offset}")]
    BadPiece {
        /// Its offset in the file.
        offset: u64,
    },
}

impl From<MapError> for FsError {
    fn from(_: MapError) -> FsError {
        FsError::Io
    }
}

/// The facts about a file that edits of its map need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The file.
    pub node: NodeId,
    /// Its size as stored.
    pub size: u64,
    /// Its content version.
    pub content_version: ContentVersion,
    /// Its pending truncation.
    pub pending_truncation: Option<PendingTruncation>,
    /// The scale of its share.
    pub scale: Scale,
}

impl Facts {
    /// Those of a node, in a share of a scale.
    pub fn of(node: &Node, scale: &Scale) -> Facts {
        Facts {
            node: node.id,
            size: node.size,
            content_version: node.content_version,
            pending_truncation: node.pending_truncation,
            scale: *scale,
        }
    }

    /// How many pages rows cover, from the first on.
    pub fn map_pages(&self) -> u64 {
        self.scale.pages_of(self.size).max(self.pending_truncation.map_or(0, |pending| pending.end_page))
    }
}

/// Where the bytes of a piece are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Nowhere: they are zeros.
    Hole,
    /// Here.
    Inline(Bytes),
    /// In an object.
    Stored(Stored),
}

/// A run of bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it starts in the file.
    pub offset: u64,
    /// Its length in bytes, above 0.
    pub len: u64,
    /// Where its bytes are.
    pub source: Source,
}

impl Piece {
    /// The offset of the byte after it.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }

    /// The part of it that is in a range of the file, if any.
    pub fn cut(&self, range: &Range<u64>) -> Option<Piece> {
        let (from, to) = (self.offset.max(range.start), self.end().min(range.end));
        if from >= to || !self.is_valid() {
            return None;
        }
        let skip = from - self.offset;
        let source = match &self.source {
            Source::Hole => Source::Hole,
            Source::Inline(bytes) => Source::Inline(bytes.slice(skip as usize..(to - self.offset) as usize)),
            Source::Stored(stored) => Source::Stored(Stored { skip: stored.skip + skip as u32, ..*stored }),
        };
        Some(Piece { offset: from, len: to - from, source })
    }

    /// Its bytes `skip .. skip + len` as an extent of a page.
    fn extent(&self, skip: u64, len: u32) -> Extent {
        let whole = u32::try_from(self.len).unwrap_or(u32::MAX);
        match &self.source {
            Source::Hole => Extent::Hole { len },
            Source::Inline(bytes) => {
                let skip = skip as usize;
                Extent::Inline(bytes.slice(skip..skip + len as usize))
            }
            Source::Stored(from) => {
                let skip = skip as u32;
                Extent::Stored { len: whole, from: *from }.slice(skip, skip + len)
            }
        }
    }

    /// Whether it has bytes, and its source has as many.
    fn is_valid(&self) -> bool {
        self.len > 0
            && match &self.source {
                Source::Hole => true,
                Source::Inline(bytes) => bytes.len() as u64 == self.len,
                Source::Stored(from) => u64::from(from.skip).saturating_add(self.len) <= u64::from(from.block.raw_len),
            }
    }
}

/// Bytes of a row's page that count: all, or those before the pending truncation if the row is older than it.
pub(crate) fn visible(version: ContentVersion, page: u64, pending: Option<PendingTruncation>, page_bytes: u64) -> u64 {
    match pending {
        Some(pending) if version < pending.version => {
            pending.offset.saturating_sub(page.saturating_mul(page_bytes)).min(page_bytes)
        }
        _ => page_bytes,
    }
}
