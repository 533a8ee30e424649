//! Opening the database: by itself, never over something else.

mod backend;
mod error;
mod file;
mod format;

use redb::Database;

pub(crate) use backend::BackendOpener;
pub use error::OpenError;
pub(crate) use file::FileOpener;

use crate::fault::Fault;

/// Opens one database, as often as it takes.
pub(crate) trait Opener: Send {
    /// What it is, for messages.
    fn name(&self) -> String;

    /// Opens it; `again` after a failure, when what was written before may not be what is on the disk.
    fn open(&self, again: bool) -> Result<Database, OpenError>;

    /// Bytes that can still be written beside it.
    fn room(&self) -> u64 {
        u64::MAX
    }

    /// The error for what was found in it after it was opened.
    fn refused(&self, fault: &Fault) -> OpenError {
        OpenError::Damaged { file: self.name(), found: fault.to_string() }
    }
}
