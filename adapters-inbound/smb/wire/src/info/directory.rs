//! Directory listings for QUERY_DIRECTORY (MS-SMB2 3.3.5.18).

mod class;
#[cfg(any(test, feature = "client"))]
mod decode;
mod entry;

use bytes::Bytes;

use crate::cursor::Writer;

use super::query::QueryError;

pub use class::DirectoryClass;
#[cfg(any(test, feature = "client"))]
pub use decode::decode_page;
pub use entry::{AppleFacts, DirectoryEntry};

const ALIGNMENT: usize = 8;

/// Room that a page gets at once. Most clients ask for 64 KiB, and some for far more than a directory fills.
const CAPACITY_MAX: usize = 64 * 1024;

/// One response to QUERY_DIRECTORY, filled entry by entry up to the client's limit.
#[derive(Debug)]
pub struct DirectoryPage {
    class: DirectoryClass,
    limit: usize,
    writer: Writer,
    /// Where the entry that was pushed last starts.
    last: usize,
    entries: usize,
}

/// Outcome of pushing an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Push {
    /// The entry is on the page.
    Fits,
    /// The entry isn't on the page: it is the first of the next page.
    Full,
    /// The entry isn't on the page, and it would have been the first: no page of this limit can hold it. The request
    /// fails with STATUS_BUFFER_OVERFLOW.
    FirstTooLong,
    /// The entry has no [`super::PosixFacts`], but the class needs them: STATUS_INVALID_INFO_CLASS.
    NoPosixFacts,
}

impl DirectoryPage {
    /// An empty page for a client that has room for `limit` bytes. Fails with STATUS_INFO_LENGTH_MISMATCH if the fixed
    /// part of one entry has no room (MS-FSA, query of a directory).
    pub fn new(class: DirectoryClass, limit: usize) -> Result<Self, QueryError> {
        if limit < class.fixed_length() {
            return Err(QueryError::LengthMismatch);
        }
        let writer = Writer::with_capacity(limit.min(CAPACITY_MAX));
        Ok(Self { class, limit, writer, last: 0, entries: 0 })
    }

    /// Appends an entry if there is room for it.
    pub fn push(&mut self, entry: &DirectoryEntry<'_>) -> Push {
        let Some(length) = entry.encoded_length(self.class) else { return Push::NoPosixFacts };
        let start = self.writer.position().next_multiple_of(ALIGNMENT);
        if start.saturating_add(length) > self.limit {
            return if self.is_empty() { Push::FirstTooLong } else { Push::Full };
        }
        self.writer.align(ALIGNMENT);
        if !self.is_empty() {
            self.writer.patch_u32(self.last, u32::try_from(start - self.last).unwrap_or_default());
        }
        entry.put(self.class, &mut self.writer);
        self.last = start;
        self.entries += 1;
        Push::Fits
    }

    /// Entries on the page.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The page has no entry. An empty page isn't sent: the response is STATUS_NO_SUCH_FILE or STATUS_NO_MORE_FILES.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The page as it is sent: never longer than its limit. There is no padding behind the last entry.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.writer.into_bytes().freeze()
    }
}

#[cfg(test)]
mod tests;
