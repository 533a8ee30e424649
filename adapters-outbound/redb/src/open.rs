//! Opening the database: by itself, never over something else.

mod backend;
mod ballast;
mod error;
mod file;
mod format;

use redb::{Database, StorageBackend};

pub(crate) use backend::BackendOpener;
pub use backend::Part;
pub use error::OpenError;
pub(crate) use file::FileOpener;
pub(crate) use format::{TABLE, end_folding, end_upgrade, is_folding, is_upgrading, stamp};

use crate::{fault::Fault, options::RedbOptions};

/// Opens one database, as often as it takes.
pub(crate) trait Opener: Send {
    /// Returns its name, for messages.
    fn name(&self) -> String;

    /// Opens it; `again` after a failure, when what was written before may not be what is on the disk.
    fn open(&self, again: bool) -> Result<Database, OpenError>;

    /// The log's name, for messages.
    fn log_name(&self) -> String;

    /// The log's storage, if it is there; `again` as above.
    fn log(&self, again: bool) -> Result<Option<Box<dyn StorageBackend>>, OpenError>;

    /// Storage for a new log, in the place of one that is there.
    fn make_log(&self) -> Result<Box<dyn StorageBackend>, OpenError>;

    /// Keeps the log that is there under another name, for whoever thinks better of it.
    fn set_log_aside(&self) -> Result<(), OpenError>;

    /// Returns the options that are configured.
    fn options(&self) -> &RedbOptions;

    /// Bytes that can still be written beside it.
    fn room(&self) -> u64 {
        u64::MAX
    }

    /// Bytes that are kept beside it for a full disk.
    fn ballast_bytes(&self) -> u64 {
        0
    }

    /// Whether they are there now.
    fn has_ballast(&self) -> bool {
        true
    }

    /// Makes them room for others.
    fn give_ballast_up(&self) {}

    /// Keeps them again, if that is possible.
    fn restore_ballast(&self) {}

    /// The error for what was found in it after it was opened.
    fn refused(&self, fault: &Fault) -> OpenError {
        OpenError::of_fault(self.name(), fault)
    }
}
