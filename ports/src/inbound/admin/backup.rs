//! The request for a backup, its progress and its report.

use std::path::PathBuf;

use dittofs_domain::{FsError, ShareId, Timestamp, backup::BackupId};

use crate::outbound::{BackupFolderError, ContentError, MetadataError};

/// The shares to back up, and the folder for the backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupRequest {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// These shares; none: all.
    pub shares: Vec<ShareId>,
    /// Whether objects stay where they are, pinned, instead of being copied.
    pub pin: bool,
    /// Whether it goes on without the newest bytes of files whose metadata is so damaged that they can't be stored.
    pub allow_damaged: bool,
}

/// The phase of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackupPhase {
    /// Flushing unflushed bytes.
    Flush,
    /// Pinning objects; counted in objects.
    Pins,
    /// Writing rows; counted in rows.
    Rows,
    /// Copying objects; counted in bytes.
    Objects,
}

/// The progress of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// The present phase.
    pub phase: BackupPhase,
    /// How much of that is done.
    pub done: u64,
    /// Of how much; 0 where that is not known.
    pub of: u64,
}

/// Receives the progress of a backup.
pub trait BackupObserver: Send + Sync {
    /// Called often; must not wait.
    fn progress(&self, progress: BackupProgress);
}

/// Nobody.
impl BackupObserver for () {
    fn progress(&self, _progress: BackupProgress) {}
}

/// The report of a finished backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Its id.
    pub backup: BackupId,
    /// The shares in it, by name.
    pub shares: Vec<String>,
    /// Files, directories and others in it.
    pub nodes: u64,
    /// Objects that it has or pins.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files whose newest bytes are not in it: `PATH of SHARE`.
    pub incomplete: Vec<String>,
}

/// A backup that pins objects of a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinningBackup {
    /// Its id.
    pub backup: BackupId,
    /// The share's name.
    pub share: String,
    /// When it was begun.
    pub at: Timestamp,
    /// Whether it pins until it is released; else it is being written, or was not ended.
    pub is_kept: bool,
    /// Objects that it pins.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The server was not given a place for backups.
    #[error("this server writes no backups")]
    NotSupported,
    /// No such share.
    #[error("there is no share with the id {0}")]
    UnknownShare(ShareId),
    /// No such backup.
    #[error("no share has a backup {0}: `dittofs backup list` shows those that there are")]
    UnknownBackup(BackupId),
    /// The share is in memory.
    #[error(
        "{0} can't be backed up: its metadata store gives no snapshots (one in memory keeps nothing, and a database has tools of its own)"
    )]
    InMemory(String),
    /// One at a time.
    #[error("another backup is being written: wait for its end")]
    Running,
    /// A share has as many backups as it may.
    #[error("{0} has as many backups as a share may have: release one by `dittofs backup release ID`")]
    TooMany(String),
    /// Clients write faster than the share is flushed.
    #[error(
        "{0} could not be held still: what its clients write takes too long to be flushed; try again when less is \
         written"
    )]
    Busy(String),
    /// The unflushed bytes could not be flushed.
    #[error("what is unflushed of {share} can't be flushed: {source}; `dittofs check` and the log say what is wrong")]
    Flush {
        /// The share.
        share: String,
        /// Why.
        source: FsError,
    },
    /// The unflushed bytes of some files can't be stored.
    #[error(
        "the newest bytes of {} in {share} can't be stored, as these files' metadata is damaged: `dittofs check` says \
         what is wrong. With `--allow-damaged` a backup is written without these bytes",
        listed(files)
    )]
    Damaged {
        /// The share.
        share: String,
        /// The files, by path.
        files: Vec<String>,
    },
    /// An object went away while it was to be pinned.
    #[error("objects of {share} can't be pinned: {source}; try again")]
    Pin {
        /// The share.
        share: String,
        /// Why.
        source: FsError,
    },
    /// The metadata store failed.
    #[error("the metadata of {share} can't be read: {source}")]
    Metadata {
        /// The share.
        share: String,
        /// Why.
        source: MetadataError,
    },
    /// The content store failed.
    #[error("object {object} of {share} can't be read: {source}")]
    Content {
        /// The share.
        share: String,
        /// The object.
        object: dittofs_domain::ObjectId,
        /// Why.
        source: ContentError,
    },
    /// The folder failed.
    #[error(transparent)]
    Folder(#[from] BackupFolderError),
    /// The caller has gone, or the server stops.
    #[error("the backup was given up, as whoever asked for it has gone or the server stops")]
    Cancelled,
}

/// Files that a message names.
const FILES_LISTED_MAX: usize = 10;

/// Some of the files, and how many more there are.
fn listed(files: &[String]) -> String {
    let some: Vec<&str> = files.iter().take(FILES_LISTED_MAX).map(String::as_str).collect();
    match files.len().saturating_sub(FILES_LISTED_MAX) {
        0 => some.join(", "),
        more => format!("{}, and {more} more", some.join(", ")),
    }
}

#[cfg(test)]
mod tests;
