//! Backups in folders of this machine's file systems.
//!
//! | file | what |
//! |---|---|
//! | `manifest.json` | what the backup has, with all checksums; written last, under its name at once |
//! | `SHARE/rows` | the rows of a share's metadata, in frames with checksums |
//! | `SHARE/objects/XX/OBJECT` | an object, as it is in the content store; `XX` are the first digits of its id |
//!
//! The format is in `docs/decisions/0039-backups.md`. Only the user of the server may read what is written.
//!
//! This crate does not know: what a row says, what an object holds, what a pin is.

mod blocking;
mod files;
mod manifest;
mod reader;
mod rows;
mod writer;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use dittofs_ports::{BackupFolderError, BackupFolders, BackupReader, BackupWriter};

use blocking::blocking;
use reader::FolderReader;
use writer::FolderWriter;

/// Makes and opens backups in folders.
#[derive(Clone, Copy, Debug, Default)]
pub struct FolderBackups;

#[async_trait]
impl BackupFolders for FolderBackups {
    async fn make(&self, folder: &Path) -> Result<Arc<dyn BackupWriter>, BackupFolderError> {
        let folder = folder.to_owned();
        Ok(Arc::new(blocking(move || FolderWriter::make(&folder)).await?))
    }

    async fn open(&self, folder: &Path) -> Result<Arc<dyn BackupReader>, BackupFolderError> {
        let folder = folder.to_owned();
        Ok(Arc::new(blocking(move || FolderReader::open(&folder)).await?))
    }
}

#[cfg(test)]
mod tests;
