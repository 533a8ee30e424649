//! Where backups are kept.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{Epoch, ObjectId, Scale, ShareId, Timestamp, backup::BackupId};

use super::{KeysInUse, SnapshotRow, Source};

/// The manifest of a backup: its description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Which backup it is.
    pub backup: BackupId,
    /// When it was begun.
    pub at: Timestamp,
    /// The version of the server that made it.
    pub program: String,
    /// Whether the objects are in the backup; else they stay where they are, pinned.
    pub holds_objects: bool,
    /// The shares in it.
    pub shares: Vec<ShareInBackup>,
}

/// A share in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareInBackup {
    /// Its id.
    pub id: ShareId,
    /// Its name.
    pub name: String,
    /// The sizes by which its files are divided.
    pub scale: Scale,
    /// Whether its sums count nodes, names and targets.
    pub counts_names: bool,
    /// The keys that seal its content. They are not in the backup.
    pub keys: KeysInUse,
    /// The epoch of the server's start that made the backup.
    pub epoch: Epoch,
    /// The instant that the backup shows it at.
    pub at: Timestamp,
    /// Its files, directories and others.
    pub nodes: u64,
    /// The bytes that it held.
    pub bytes: u64,
    /// The name of the format of its rows.
    pub format: String,
    /// Its rows.
    pub rows: RowsInBackup,
    /// Its objects, in the order of their ids.
    pub objects: Vec<ObjectInBackup>,
    /// Files, by path, whose newest bytes are not in it: they could not be stored, because the metadata of the file is
    /// damaged.
    pub incomplete: Vec<String>,
}

/// The rows of a share in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsInBackup {
    /// How many there are.
    pub rows: u64,
    /// Bytes that they take in the backup.
    pub bytes: u64,
    /// The checksum of these bytes.
    pub checksum: u64,
}

/// An object in a backup, or pinned by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectInBackup {
    /// Its id.
    pub id: ObjectId,
    /// Its length.
    pub bytes: u64,
    /// The checksum of its bytes; none for one that was not copied.
    pub checksum: Option<u64>,
}

/// A folder of a backup can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupFolderError {
    /// It has something in it.
    #[error("{} is not empty: name a folder that is empty, or not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// It is not the folder of a backup, or the backup did not end.
    #[error(
        "there is no manifest in {}: it is no backup, or one that did not end; name a folder that `dittofs backup \
         create` has filled, and remove this one if it is left of one that failed",
        .0.display()
    )]
    Unfinished(PathBuf),
    /// A file is missing or is not as it was written.
    #[error("{} is damaged: {found}; restore from another backup", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The damage that was found.
        found: String,
    },
    /// A later release made it.
    #[error("{} was made by a later release (its format is {found}): restore it with that one", file.display())]
    Newer {
        /// The manifest.
        file: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The system did not let it be read or written.
    #[error("{} can't be used: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        #[source]
        source: Source,
    },
}

/// Makes and opens the folders of backups.
#[async_trait]
pub trait BackupFolders: Send + Sync {
    /// Begins a backup in a folder, which is made if it is not there, and must be empty if it is.
    async fn make(&self, folder: &Path) -> Result<Arc<dyn BackupWriter>, BackupFolderError>;

    /// Opens the folder of a backup that was finished.
    async fn open(&self, folder: &Path) -> Result<Arc<dyn BackupReader>, BackupFolderError>;
}

/// A backup that is being written. One caller at a time writes to it.
#[async_trait]
pub trait BackupWriter: Send + Sync {
    /// Adds rows of a share.
    async fn rows(&self, share: ShareId, rows: Vec<SnapshotRow>) -> Result<(), BackupFolderError>;

    /// Ends the rows of a share, also of one without any: they are durable when it returns.
    async fn end_rows(&self, share: ShareId) -> Result<RowsInBackup, BackupFolderError>;

    /// Adds an object: it is durable when this returns. Answers its checksum.
    async fn object(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<u64, BackupFolderError>;

    /// Writes the manifest, after which the backup is one. All or nothing, and durable when it returns.
    async fn finish(&self, manifest: &Manifest) -> Result<(), BackupFolderError>;
}

/// A backup that can be restored. What it answers is as it was written.
#[async_trait]
pub trait BackupReader: Send + Sync {
    /// Returns the manifest.
    fn manifest(&self) -> &Manifest;

    /// The rows of a share, from the first on.
    async fn rows(&self, share: &ShareInBackup) -> Result<Box<dyn BackupRows>, BackupFolderError>;

    /// An object.
    async fn object(&self, share: ShareId, object: &ObjectInBackup) -> Result<Vec<Bytes>, BackupFolderError>;
}

/// The rows of a share in a backup, page by page.
#[async_trait]
pub trait BackupRows: Send {
    /// Returns the next rows; none once all were returned, and were found to be all.
    async fn next(&mut self) -> Result<Vec<SnapshotRow>, BackupFolderError>;
}
