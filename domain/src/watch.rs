//! Changes in directories, as those who watch them are told of them (MS-FSA, 2.1.4.1; MS-FSCC, 2.7.1).
//!
//! | part | rule |
//! |---|---|
//! | [`PlannedChanges`] | which names and attributes a plan changes for clients |
//! | [`ChangeKinds`] | which of them a watcher wants: the completion filter |
//! | [`Listings`] | which directories list something else then: leases of these are broken |
//! | [`WatchBuffer`] | what is kept for a watcher between its requests, and when it has to list anew |

mod buffer;
mod listings;
mod planned;

use std::sync::Arc;

use bitflags::bitflags;

pub use buffer::{Taken, WatchBuffer};
pub use listings::Listings;
pub use planned::{EntryChange, PlannedChanges, Subject};

use crate::name::Name;

bitflags! {
    /// Kinds of changes: those that were made, or those that a watcher asks for. The bits are those of MS-SMB2, 2.2.35.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct ChangeKinds: u32 {
        /// A name of what is no directory.
        const FILE_NAME = 0x1;
        /// A name of a directory.
        const DIRECTORY_NAME = 0x2;
        /// Mode or DOS attributes.
        const ATTRIBUTES = 0x4;
        /// The size.
        const SIZE = 0x8;
        /// The time of the last change of content, with the content or alone.
        const LAST_WRITE = 0x10;
        /// The time of last access, where somebody has set it. Reads tell nobody.
        const LAST_ACCESS = 0x20;
        /// The time of creation.
        const CREATION = 0x40;
        /// Extended attributes.
        const EXTENDED_ATTRIBUTES = 0x80;
        /// Owner, group, mode or ACL.
        const SECURITY = 0x100;
        /// A name of a stream.
        const STREAM_NAME = 0x200;
        /// The size of a stream.
        const STREAM_SIZE = 0x400;
        /// The content of a stream.
        const STREAM_WRITE = 0x800;
    }
}

/// The fate of a name, or of the node that has it. The numbers are those of MS-FSCC, 2.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum ChangeAction {
    /// It is new in its directory.
    Added = 1,
    /// It is gone from its directory.
    Removed = 2,
    /// The node that has the name has changed.
    Modified = 3,
    /// It was changed to the name that the next record has.
    RenamedFrom = 4,
    /// It was the name that the record before has.
    RenamedTo = 5,
    /// The file has got a stream.
    AddedStream = 6,
    /// The file has lost a stream.
    RemovedStream = 7,
    /// The content of a stream of the file has changed.
    ModifiedStream = 8,
}

/// One change, for a watcher.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChangeRecord {
    /// The fate of the name.
    pub action: ChangeAction,
    /// The names from the watched directory on, which is not among them.
    pub path: Arc<[Name]>,
    /// The stream of the file that the path leads to, if it is one that has changed.
    pub stream: Option<Name>,
}

/// Bytes of a record besides its name: the offset of the next one, the action, and the length of the name.
const HEAD_BYTES: usize = 12;
/// Records begin at multiples of this.
const ALIGNMENT: usize = 4;

impl ChangeRecord {
    /// The bytes that it takes in FILE_NOTIFY_INFORMATION at most, and about those in memory. A name has no more UTF-16
    /// units than bytes, whatever its bytes mean.
    pub fn bytes(&self) -> usize {
        let names = self.path.iter().chain(&self.stream);
        let units: usize = names.map(|name| name.as_bytes().len() + 1).sum();
        (HEAD_BYTES + 2 * units.saturating_sub(1)).next_multiple_of(ALIGNMENT)
    }
}

#[cfg(test)]
mod tests;
