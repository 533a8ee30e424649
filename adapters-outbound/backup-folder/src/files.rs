//! Where things are in a backup's folder, and how files come to be there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::BackupFolderError;

/// The modes of folders and files. Only the server may see the contents of a backup.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

const MANIFEST: &str = "manifest.json";
const MANIFEST_UNFINISHED: &str = "manifest.json.new";

pub(crate) fn manifest(folder: &Path) -> PathBuf {
    folder.join(MANIFEST)
}

pub(crate) fn unfinished_manifest(folder: &Path) -> PathBuf {
    folder.join(MANIFEST_UNFINISHED)
}

pub(crate) fn share(folder: &Path, share: ShareId) -> PathBuf {
    folder.join(format!("{:016x}", share.0))
}

pub(crate) fn rows(folder: &Path, id: ShareId) -> PathBuf {
    share(folder, id).join("rows")
}

pub(crate) fn objects(folder: &Path, id: ShareId) -> PathBuf {
    share(folder, id).join("objects")
}

pub(crate) fn object(folder: &Path, id: ShareId, object: ObjectId) -> PathBuf {
    let name = object.to_string();
    objects(folder, id).join(name.get(..2).unwrap_or_default()).join(name)
}

/// The error of a file.
pub(crate) fn io_error(file: &Path) -> impl Fn(io::Error) -> BackupFolderError {
    let file = file.to_owned();
    move |source| BackupFolderError::Io { file: file.clone(), source: source.into() }
}

/// The error of a file that is not as it was written.
pub(crate) fn damaged(file: &Path, found: impl Into<String>) -> BackupFolderError {
    BackupFolderError::Damaged { file: file.to_owned(), found: found.into() }
}

/// The error of a file that can't be opened: that it is not there is damage.
pub(crate) fn open(file: &Path) -> Result<File, BackupFolderError> {
    File::open(file).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => damaged(file, "it is missing"),
        _ => io_error(file)(source),
    })
}

/// A new file.
pub(crate) fn create(file: &Path) -> Result<File, BackupFolderError> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(file).map_err(io_error(file))
}

/// Makes a folder that may be there. The one around it must be.
pub(crate) fn make_folder(folder: &Path) -> Result<(), BackupFolderError> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(io_error(folder)),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), BackupFolderError> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems can't sync folders, and say so.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(io_error(folder)),
    }
}

/// The folders in a folder; none if it is not there.
pub(crate) fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, BackupFolderError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_error(folder))?,
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let paths = paths.map_err(io_error(folder))?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}
