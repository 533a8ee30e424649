//! The changes that CHANGE_NOTIFY tells of (FILE_NOTIFY_INFORMATION, MS-FSCC 2.7.1).

use bytes::Bytes;

use crate::cursor::Writer;
#[cfg(any(test, feature = "client"))]
use crate::cursor::{Malformed, Reader, range, utf16};

const ALIGNMENT: usize = 4;
/// Bytes of a record in front of its name.
const HEAD_BYTES: usize = 12;
/// Room that a list gets at once.
const CAPACITY_MAX: usize = 4 * 1024;

/// A list of changes, filled one by one up to the client's limit.
#[derive(Debug)]
pub struct ChangeList {
    limit: usize,
    writer: Writer,
    /// Where the record that was pushed last starts.
    last: Option<usize>,
}

impl ChangeList {
    /// An empty list for a client that has room for `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, writer: Writer::with_capacity(limit.min(CAPACITY_MAX)), last: None }
    }

    /// Appends a change of the file with this name, which is relative to the watched directory. Returns false if there
    /// is no room for it: nothing of the list is sent then, but STATUS_NOTIFY_ENUM_DIR.
    #[must_use]
    pub fn push(&mut self, action: u32, name: &str) -> bool {
        let name_length = 2 * name.encode_utf16().count();
        let start = self.writer.position().next_multiple_of(ALIGNMENT);
        if start.saturating_add(HEAD_BYTES).saturating_add(name_length) > self.limit {
            return false;
        }
        self.writer.align(ALIGNMENT);
        if let Some(last) = self.last {
            self.writer.patch_u32(last, u32::try_from(start - last).unwrap_or_default());
        }
        self.writer.u32(0);
        self.writer.u32(action);
        self.writer.u32(u32::try_from(name_length).unwrap_or_default());
        self.writer.utf16(name);
        self.last = Some(start);
        true
    }

    /// The list as it is sent: never longer than its limit. There is no padding behind the last record.
    #[must_use]
    pub fn finish(self) -> Bytes {
        self.writer.into_bytes().freeze()
    }
}

/// Decodes a list, for a client: actions and names.
#[cfg(any(test, feature = "client"))]
pub fn decode_changes(list: &Bytes) -> Result<Vec<(u32, String)>, Malformed> {
    let mut changes = Vec::new();
    let mut rest = list.clone();
    while !rest.is_empty() {
        let mut reader = Reader::new(rest.clone());
        let next = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let action = reader.u32()?;
        let name_length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        changes.push((action, utf16(&reader.take(name_length)?)?));
        if next == 0 {
            break;
        }
        if next < reader.position() {
            return Err(Malformed);
        }
        let rest_length = rest.len().checked_sub(next).ok_or(Malformed)?;
        rest = range(&rest, next as u64, rest_length as u64)?;
    }
    Ok(changes)
}

#[cfg(test)]
mod tests;
