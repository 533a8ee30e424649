//! Rows of a file's map.

use bytes::Bytes;

use crate::id::{ContentVersion, KeyId, ObjectId};

/// Where a block stands in its object, and how to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockPlace {
    /// Offset of the block's head in the object, in bytes.
    pub at: u64,
    /// Length as stored, head included, in bytes.
    pub stored_len: u32,
    /// Length of its content, in bytes.
    pub raw_len: u32,
    /// How frames are compressed: 0 not at all.
    pub codec: u8,
    /// The key that seals the frames, if any does.
    pub key_id: KeyId,
}

/// Raw bytes `skip .. skip + len` of a block in an object, where `len` is the extent's own length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// The object.
    pub object: ObjectId,
    /// The block in it.
    pub block: BlockPlace,
    /// Raw bytes of the block that come before the extent.
    pub skip: u32,
}

/// A run of bytes in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Zeros: a fact that is written down.
    Hole {
        /// Length in bytes, above 0.
        len: u32,
    },
    /// Bytes kept in the row itself.
    Inline(
        /// The bytes, at least one.
        Bytes,
    ),
    /// Bytes in an object.
    Stored {
        /// Length in bytes, above 0.
        len: u32,
        /// Where they are.
        from: Stored,
    },
}

impl Extent {
    /// Length in bytes.
    pub fn len(&self) -> u32 {
        match self {
            Extent::Hole { len } | Extent::Stored { len, .. } => *len,
            Extent::Inline(bytes) => bytes.len() as u32,
        }
    }

    /// Returns its bytes `from .. to`, counted from its start and limited to its end.
    #[must_use]
    pub fn slice(&self, from: u32, to: u32) -> Extent {
        let to = to.min(self.len());
        let from = from.min(to);
        match self {
            Extent::Hole { .. } => Extent::Hole { len: to - from },
            Extent::Inline(bytes) => Extent::Inline(bytes.slice(from as usize..to as usize)),
            Extent::Stored { from: stored, .. } => {
                let skip = stored.skip.saturating_add(from);
                Extent::Stored { len: to - from, from: Stored { skip, ..*stored } }
            }
        }
    }

    /// Whether it covers nothing: no valid extent does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The extents of one page, in order; their lengths sum up to [`super::PAGE_BYTES`] (beyond the end of the file:
/// a hole).
pub type PageExtents = Vec<Extent>;

/// A row of a file's map; its key is (node, first page).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapRow {
    /// One page.
    Page {
        /// The content version under which it was written. A [`PendingTruncation`] compares it.
        version: ContentVersion,
        /// The extents that tile the page.
        extents: PageExtents,
    },
    /// A run of pages that are all hole.
    Holes {
        /// The content version under which it was written.
        version: ContentVersion,
        /// Pages in the run, above 0.
        pages: u64,
    },
}

/// A truncation that was recorded as one fact: of rows older than `version`, only bytes before `offset` count; what
/// lies behind reads as hole until the reaper has removed the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PendingTruncation {
    /// The first byte that the truncation removes.
    pub offset: u64,
    /// The node's content version after the truncation.
    pub version: ContentVersion,
    /// No row older than `version` covers this page or one behind it.
    pub end_page: u64,
}
