//! The data folder, which one server at a time may use.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Files of all users are in there, and the socket that gives all power over the server.
const MODE: u32 = 0o700;
const LOCK_FILE: &str = "lock";

/// Why a data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It can't be made or written.
    #[error("the data folder {} can't be used: {source}", .folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server has it.
    #[error("another server runs on the data folder {}: stop it, or name another folder by --data", .folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}

/// A data folder that is locked until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct DataFolder {
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing, keeps others out of it, and locks it.
    pub(crate) fn lock(folder: &Path) -> Result<DataFolder, DataError> {
        let unusable = |source| DataError::Unusable { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(MODE).create(folder).map_err(unusable)?;
        let mode = fs::metadata(folder).map_err(unusable)?.permissions().mode();
        if mode & 0o077 != 0
            && let Err(error) = fs::set_permissions(folder, Permissions::from_mode(MODE))
        {
            tracing::warn!(folder = %folder.display(), %error, "other users can look into the data folder");
        }
        let path = folder.join(LOCK_FILE);
        let mut lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // For people who look whose lock it is.
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(unusable)?;
        Ok(DataFolder { _lock: lock })
    }
}

#[cfg(test)]
mod tests;
