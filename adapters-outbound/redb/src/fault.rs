//! The failures of reading or writing the database.

use std::io;

use dittofs_ports::{ApplyError, MetadataError};
use redb::StorageError;

/// A read or a change of the database did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The database failed, and must be opened again.
    #[error("{0}")]
    Storage(#[from] StorageError),
    /// A record makes no sense.
    #[error("{0}")]
    Damaged(String),
}

impl Fault {
    pub(crate) fn damaged(what: impl Into<String>) -> Fault {
        Fault::Damaged(what.into())
    }

    /// A failure that redb has no word of its own for.
    pub(crate) fn other(error: impl std::fmt::Display) -> Fault {
        Fault::Storage(StorageError::Io(io::Error::other(error.to_string())))
    }

    /// Whether there is no room.
    pub(crate) fn is_full(&self) -> bool {
        let Fault::Storage(StorageError::Io(error)) = self else { return false };
        crate::log::is_full(error)
    }
}

impl From<redb::TableError> for Fault {
    fn from(error: redb::TableError) -> Fault {
        match error {
            redb::TableError::Storage(error) => Fault::Storage(error),
            error => Fault::Damaged(error.to_string()),
        }
    }
}

impl From<redb::TransactionError> for Fault {
    fn from(error: redb::TransactionError) -> Fault {
        match error {
            redb::TransactionError::Storage(error) => Fault::Storage(error),
            error => Fault::Storage(StorageError::Io(io::Error::other(error.to_string()))),
        }
    }
}

impl From<redb::CommitError> for Fault {
    fn from(error: redb::CommitError) -> Fault {
        match error {
            redb::CommitError::Storage(error) => Fault::Storage(error),
            error => Fault::Storage(StorageError::Io(io::Error::other(error.to_string()))),
        }
    }
}

impl From<Fault> for MetadataError {
    fn from(fault: Fault) -> MetadataError {
        match fault {
            Fault::Storage(StorageError::Corrupted(found)) => MetadataError::Corrupt(found.into()),
            Fault::Storage(error) => MetadataError::Unavailable(Box::new(error)),
            Fault::Damaged(found) => MetadataError::Corrupt(found.into()),
        }
    }
}

impl From<Fault> for ApplyError {
    fn from(fault: Fault) -> ApplyError {
        match MetadataError::from(fault) {
            MetadataError::Unavailable(source) => ApplyError::Unavailable(source),
            MetadataError::Corrupt(source) => ApplyError::Corrupt(source),
        }
    }
}
