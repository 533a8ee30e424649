//! File attributes, MS-FSCC 2.6.

use crate::layout::bit_set;

bit_set! {
    /// The attributes of a file or directory.
    pub struct FileAttributes(u32) {
        /// It is read-only.
        READONLY = 0x0000_0001,
        /// Listings don't show it.
        HIDDEN = 0x0000_0002,
        /// It belongs to the operating system.
        SYSTEM = 0x0000_0004,
        /// It is a directory.
        DIRECTORY = 0x0000_0010,
        /// It was changed since the last backup; new files have it.
        ARCHIVE = 0x0000_0020,
        /// No other attribute is set. As an attribute to set, it clears the others.
        NORMAL = 0x0000_0080,
        /// It is temporary.
        TEMPORARY = 0x0000_0100,
        /// It has holes.
        SPARSE_FILE = 0x0000_0200,
        /// It is a reparse point.
        REPARSE_POINT = 0x0000_0400,
        /// It is compressed.
        COMPRESSED = 0x0000_0800,
        /// Its data is not at hand.
        OFFLINE = 0x0000_1000,
        /// The content indexer passes over it.
        NOT_CONTENT_INDEXED = 0x0000_2000,
        /// It is encrypted.
        ENCRYPTED = 0x0000_4000,
        /// Its integrity is checked.
        INTEGRITY_STREAM = 0x0000_8000,
        /// The integrity scanner passes over it.
        NO_SCRUB_DATA = 0x0002_0000,
        /// To open it fetches its data from far.
        RECALL_ON_OPEN = 0x0004_0000,
        /// It is kept at hand.
        PINNED = 0x0008_0000,
        /// It isn't kept at hand.
        UNPINNED = 0x0010_0000,
        /// To read it fetches its data from far.
        RECALL_ON_DATA_ACCESS = 0x0040_0000,
    }
}

impl FileAttributes {
    /// These attributes as a response gives them: NORMAL if there are none, and NORMAL only if there are no others
    /// (MS-FSCC 2.6).
    #[must_use]
    pub fn presented(self) -> Self {
        let others = self - Self::NORMAL;
        if others.is_empty() { Self::NORMAL } else { others }
    }
}
