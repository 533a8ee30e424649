//! Work that waits for a disk, on a thread that may.

use std::{io, path::PathBuf};

use dittofs_ports::BackupFolderError;

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupFolderError> + Send + 'static,
) -> Result<T, BackupFolderError> {
    let stopped = |error| BackupFolderError::Io { file: PathBuf::new(), source: io::Error::other(error).into() };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(stopped(error)))
}
