//! Why a database is not opened, and what to do.

use std::io;

use redb::{DatabaseError, StorageError};

use crate::{fault::Fault, log::is_full};

/// Why the database was not opened. Nothing has been changed in it, but that an upgrade may have begun: the next opening
/// goes on with it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody has it open.
    #[error("{file} is in use: another server has it open; stop that one, or give this one a folder of its own")]
    Locked {
        /// The file.
        file: String,
    },
    /// It was a database once, or should be one.
    #[error(
        "{file} is damaged: {found}; it was left as it is: put back a copy of the whole folder from a backup, or move \
         the file away to start with nothing"
    )]
    Damaged {
        /// The file.
        file: String,
        /// The fault that was found.
        found: String,
    },
    /// It belongs to another program.
    #[error("{file} is not this program's: {found}; it was left as it is: configure another folder")]
    Foreign {
        /// The file.
        file: String,
        /// The contents that were found.
        found: String,
    },
    /// A newer release wrote it.
    #[error("{file} has format {found}, and this release knows formats up to {known}; start a newer release")]
    Newer {
        /// The file.
        file: String,
        /// Its format.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// The database is not there, though its log is.
    #[error(
        "{file} is missing, though its log is beside it: put back a copy of the whole folder from a backup (is its disk \
         mounted?); only if it is lost for good, set accept_loss to begin with nothing"
    )]
    Missing {
        /// The file.
        file: String,
    },
    /// The log before the database is not there.
    #[error(
        "{file} is missing, and acknowledged changes may be in it only, since the database was not closed: put it back, \
         or a copy of the whole folder from a backup; only if it is lost for good, set accept_loss to go on without \
         the last changes"
    )]
    LogMissing {
        /// The file.
        file: String,
    },
    /// The log before the database can't be trusted.
    #[error(
        "{file} is damaged: {found}; it was left as it is, and so was the database: put back a copy of the whole folder \
         from a backup; only if there is none, set accept_loss to go on without the last changes"
    )]
    LogDamaged {
        /// The file.
        file: String,
        /// The fault that was found.
        found: String,
    },
    /// The system did not let it be opened.
    #[error("{file} can't be opened: {source}; see that the folder is there, writable, and on a disk with room")]
    Io {
        /// The file.
        file: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// Whether there was no room for what opening writes.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, OpenError::Io { source, .. } if is_full(source))
    }

    /// Converts a fault of a database that could be opened: damage, or a disk that did not let it be read or written.
    pub(super) fn of_fault(file: String, fault: &Fault) -> OpenError {
        match fault {
            Fault::Storage(StorageError::Io(source)) if source.kind() != io::ErrorKind::UnexpectedEof => {
                OpenError::Io { file, source: io::Error::new(source.kind(), source.to_string()) }
            }
            fault => OpenError::Damaged { file, found: fault.to_string() },
        }
    }

    pub(super) fn of(file: &str, error: DatabaseError) -> OpenError {
        let file = file.to_owned();
        match error {
            DatabaseError::DatabaseAlreadyOpen
            | DatabaseError::LockProtocolMismatch
            | DatabaseError::TransactionInProgress => OpenError::Locked { file },
            DatabaseError::UpgradeRequired(version) => {
                OpenError::Foreign { file, found: format!("a redb file of the old format {version}") }
            }
            DatabaseError::Storage(StorageError::Io(source)) if source.kind() == io::ErrorKind::UnexpectedEof => {
                OpenError::Damaged { file, found: "it ends too early".into() }
            }
            DatabaseError::Storage(StorageError::Io(source)) => OpenError::Io { file, source },
            error => OpenError::Damaged { file, found: error.to_string() },
        }
    }
}
