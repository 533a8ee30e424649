//! The data folder, which one server at a time may use.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::cli::FILE_HERE;
use crate::config::{CONTROL_SOCKET, Config};

/// Files of all users are in there, and the socket that gives all power over the server.
const MODE: u32 = 0o700;
const LOCK_FILE: &str = "lock";
/// The word with which the lock file begins. It keeps us from taking a folder with another program's lock for ours.
const LOCK_WORD: &str = "dittofs";
/// The most bytes that are read of a lock file.
const LOCK_BYTES_MAX: u64 = 64;
/// Names that may be in a folder that is otherwise empty: the one that `mkfs` makes, and the one that `dittofs init`
/// writes.
const HARMLESS: [&str; 2] = ["lost+found", FILE_HERE];

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
    /// There is something in it, and no server of ours has put it there.
    #[error(
        "{} is not a data folder: there is `{found}` in it, and it is not changed. Name a folder that is empty or not \
         there yet by --data; only if this one is to be the server's all the same: echo {LOCK_WORD} > {}",
        .folder.display(), .folder.join(LOCK_FILE).display()
    )]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
    },
    /// Its lock is a link, a device or the like.
    #[error("{} is not a plain file: remove it, it is never followed", .lock.display())]
    Lock {
        /// The lock file.
        lock: PathBuf,
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
    /// Locks the data folder of a configuration, if it has one.
    pub(crate) fn lock_of(config: &Config) -> Result<Option<DataFolder>, DataError> {
        config.data.as_deref().map(|folder| DataFolder::lock(folder, &config.paths())).transpose()
    }

    /// Makes the folder where it is missing, keeps others out of it, and locks it. One with anything in it but what is
    /// `named` is left as it is, unless it has been a data folder before.
    pub(crate) fn lock(folder: &Path, named: &[&Path]) -> Result<DataFolder, DataError> {
        let unusable = |source| DataError::Unusable { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(MODE).create(folder).map_err(unusable)?;
        let path = folder.join(LOCK_FILE);
        if !is_ours(folder, &path)
            && let Some(found) = foreign_in(folder, named).map_err(unusable)?
        {
            return Err(DataError::Foreign { folder: folder.to_owned(), found });
        }
        let lock = open_lock(&path).map_err(unusable)?.ok_or_else(|| DataError::Lock { lock: path.clone() })?;
        let mode = fs::metadata(folder).map_err(unusable)?.permissions().mode();
        if mode & 0o077 != 0
            && let Err(error) = fs::set_permissions(folder, Permissions::from_mode(MODE))
        {
            tracing::warn!(folder = %folder.display(), %error, "other users can look into the data folder");
        }
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        mark(&lock, folder).map_err(unusable)?;
        Ok(DataFolder { _lock: lock })
    }
}

/// Opens the lock file, but nothing that a link leads to, which may be somebody's file; none where it is not a file.
fn open_lock(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).custom_flags(flags.bits().cast_signed());
    match options.open(path) {
        Ok(lock) if lock.metadata()?.is_file() => Ok(Some(lock)),
        Ok(_) => Ok(None),
        Err(error) if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) => {
            tracing::debug!(%error, "the lock is not a file");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Writes whose lock it is, for people who look, and to know the folder again. It is never empty meanwhile, and on the
/// disk before anything else is in the folder.
fn mark(lock: &File, folder: &Path) -> io::Result<()> {
    let line = format!("{LOCK_WORD} {}\n", std::process::id());
    lock.write_all_at(line.as_bytes(), 0)?;
    lock.set_len(line.len() as u64)?;
    lock.sync_all()?;
    File::open(folder)?.sync_all()
}

/// Whether a server has used the folder: by its lock, or by its metadata, as a lock may be empty after a loss of power.
fn is_ours(folder: &Path, lock: &Path) -> bool {
    let is_locked = text_of(lock).is_some_and(|text| text.starts_with(LOCK_WORD));
    is_locked || folder.join("metadata").join("metadata.redb").is_file()
}

/// Returns the beginning of a lock; none if it is not a file of text.
fn text_of(lock: &Path) -> Option<String> {
    let is_plain = fs::symlink_metadata(lock).is_ok_and(|found| found.is_file());
    let mut text = String::new();
    is_plain.then(|| File::open(lock)?.take(LOCK_BYTES_MAX).read_to_string(&mut text))?.ok()?;
    Some(text)
}

/// Something in the folder that is neither named nor harmless.
fn foreign_in(folder: &Path, named: &[&Path]) -> io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_named = named.iter().any(|named| named.starts_with(&path));
        // Earlier versions wrote only the number of the process. Many programs do, so that alone makes no folder ours.
        // A start that was killed before it had written its lock left an empty one.
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_old_lock = || name == LOCK_FILE && text_of(&path).is_some_and(|text| is_number(text.trim_end()));
        // A server that crashed left its socket.
        let is_socket = || name == CONTROL_SOCKET && entry.file_type().is_ok_and(|found| found.is_socket());
        if !is_named && !is_old_lock() && !is_socket() && !HARMLESS.iter().any(|harmless| name == *harmless) {
            return Ok(Some(name.to_string_lossy().escape_debug().to_string()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
