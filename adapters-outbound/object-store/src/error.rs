//! The errors of the store, with advice on what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use dittofs_ports::ContentError;

/// Why a store was not opened. What was there has not been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It belongs to something else.
    #[error(
        "{path} is not a store of objects: it holds {found}; configure an empty folder, or one that does not exist"
    )]
    Foreign {
        /// The folder.
        path: String,
        /// The contents that were found in it.
        found: String,
    },
    /// Its mark makes no sense.
    #[error(
        "{path} is damaged: it does not say what the store is; if the objects beside it are whole, put back the file \
         from a backup"
    )]
    Damaged {
        /// The mark.
        path: String,
    },
    /// A newer release wrote it.
    #[error("{path} says format {found}, and this release knows formats up to {known}; start a newer release")]
    Newer {
        /// The mark.
        path: String,
        /// Its format.
        found: u32,
        /// The newest format that is known.
        known: u32,
    },
    /// It can't be used.
    #[error(transparent)]
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

/// A file or folder that something failed with.
#[derive(Debug, thiserror::Error)]
#[error("{path} can't be {doing}: {source}; {}", fix(source))]
pub(crate) struct Fault {
    path: PathBuf,
    doing: &'static str,
    source: io::Error,
}

impl Fault {
    /// For `map_err`.
    pub(crate) fn of(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Fault {
        let path = path.to_owned();
        move |source| Fault { path, doing, source }
    }

    pub(crate) fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

fn fix(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "let the user that the server runs as read and write there",
        io::ErrorKind::ReadOnlyFilesystem => "mount the disk for writing, or configure another folder",
        io::ErrorKind::NotFound => "see that its disk is mounted",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on its disk",
        io::ErrorKind::CrossesDevices => "have the whole store on one file system",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "configure a folder",
        _ => "see the system's log about its disk, and the limit of open files",
    }
}

impl From<Fault> for ContentError {
    fn from(fault: Fault) -> ContentError {
        match fault.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ContentError::Full,
            _ => ContentError::Unavailable(Box::new(fault)),
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> OpenError {
        OpenError::Unavailable(Box::new(fault))
    }
}
