//! The operations on a node that others may have open.

use crate::opens::{LockRange, ShareAccess, Trigger};

/// An operation on a node, with or without an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reads a range.
    Read(LockRange),
    /// Writes, allocates or punches a range.
    Write(LockRange),
    /// Changes the size: the range between the old and the new end.
    Truncate(LockRange),
    /// Discards the content, as an open that was granted has announced: byte-range locks are not in its way (MS-FSA,
    /// 2.1.5.1.2.1).
    Overwrite,
    /// Renames a name of it.
    Rename,
    /// Removes a name of it, or renames something over it.
    Remove,
    /// Adds a name.
    Link,
    /// Sets attributes other than the size.
    SetAttributes,
}

impl Operation {
    pub(super) fn trigger(self) -> Trigger {
        match self {
            Operation::Read(_) => Trigger::Read,
            Operation::Write(_) => Trigger::Write,
            Operation::Truncate(_) => Trigger::Truncate,
            Operation::Overwrite => Trigger::OpenTruncate,
            Operation::Rename => Trigger::Rename,
            Operation::Remove => Trigger::Remove,
            Operation::Link => Trigger::Link,
            Operation::SetAttributes => Trigger::SetAttributes,
        }
    }

    /// Returns the access that an open needs for the operation. Others can deny it.
    pub fn access(self) -> ShareAccess {
        match self {
            Operation::Read(_) => ShareAccess::READ,
            Operation::Write(_) | Operation::Truncate(_) | Operation::Overwrite => ShareAccess::WRITE,
            Operation::Rename | Operation::Remove => ShareAccess::DELETE,
            Operation::Link | Operation::SetAttributes => ShareAccess::empty(),
        }
    }

    pub(super) fn range(self) -> Option<LockRange> {
        match self {
            Operation::Read(range) | Operation::Write(range) | Operation::Truncate(range) => Some(range),
            Operation::Overwrite
            | Operation::Rename
            | Operation::Remove
            | Operation::Link
            | Operation::SetAttributes => None,
        }
    }
}
