//! Writing a backup.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, content::Checksum};
use dittofs_ports::{BackupFolderError, BackupWriter, Manifest, RowsInBackup, SnapshotRow};
use parking_lot::Mutex;

use crate::{
    blocking::blocking,
    files::{self, create, folders_in, io_error, make_folder, sync_folder},
    manifest, rows,
};

/// A backup that has no manifest yet.
#[derive(Debug)]
pub(crate) struct FolderWriter {
    folder: PathBuf,
    rows: Arc<Mutex<HashMap<ShareId, RowsFile>>>,
}

struct RowsFile {
    file: File,
    place: PathBuf,
    checksum: Checksum,
    rows: u64,
    bytes: u64,
}

impl std::fmt::Debug for RowsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsFile").field("place", &self.place).finish_non_exhaustive()
    }
}

impl RowsFile {
    fn make(folder: &Path, share: ShareId) -> Result<RowsFile, BackupFolderError> {
        make_folder(&files::share(folder, share))?;
        let place = files::rows(folder, share);
        let file = create(&place)?;
        let mut made = RowsFile { file, place, checksum: Checksum::new(), rows: 0, bytes: 0 };
        made.write(rows::MAGIC)?;
        Ok(made)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BackupFolderError> {
        self.file.write_all(bytes).map_err(io_error(&self.place))?;
        self.checksum.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn add(&mut self, rows: &[SnapshotRow]) -> Result<(), BackupFolderError> {
        let too_long = || io_error(&self.place)(io::ErrorKind::InvalidData.into());
        let frame = rows::frame(rows).ok_or_else(too_long)?;
        self.write(&frame)?;
        self.rows += rows.len() as u64;
        Ok(())
    }

    fn end(mut self) -> Result<RowsInBackup, BackupFolderError> {
        self.file.sync_all().map_err(io_error(&self.place))?;
        Ok(RowsInBackup { rows: self.rows, bytes: self.bytes, checksum: self.checksum.finish() })
    }
}

impl FolderWriter {
    pub(crate) fn make(folder: &Path) -> Result<FolderWriter, BackupFolderError> {
        make_folder(folder)?;
        let mut entries = fs::read_dir(folder).map_err(io_error(folder))?;
        if entries.next().is_some() {
            return Err(BackupFolderError::NotEmpty(folder.to_owned()));
        }
        if let Some(around) = folder.parent() {
            sync_folder(around)?;
        }
        Ok(FolderWriter { folder: folder.to_owned(), rows: Arc::default() })
    }

    /// Does something with the file of a share's rows, which is made where it is not there.
    async fn with_rows<T: Send + 'static>(
        &self,
        share: ShareId,
        work: impl FnOnce(RowsFile) -> Result<(T, Option<RowsFile>), BackupFolderError> + Send + 'static,
    ) -> Result<T, BackupFolderError> {
        let (folder, open) = (self.folder.clone(), Arc::clone(&self.rows));
        blocking(move || {
            let known = open.lock().remove(&share);
            let file = known.map_or_else(|| RowsFile::make(&folder, share), Ok)?;
            let (answer, file) = work(file)?;
            open.lock().extend(file.map(|file| (share, file)));
            Ok(answer)
        })
        .await
    }
}

#[async_trait]
impl BackupWriter for FolderWriter {
    async fn rows(&self, share: ShareId, rows: Vec<SnapshotRow>) -> Result<(), BackupFolderError> {
        self.with_rows(share, move |mut file| {
            file.add(&rows)?;
            Ok(((), Some(file)))
        })
        .await
    }

    async fn end_rows(&self, share: ShareId) -> Result<RowsInBackup, BackupFolderError> {
        self.with_rows(share, |file| Ok((file.end()?, None))).await
    }

    async fn object(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<u64, BackupFolderError> {
        let folder = self.folder.clone();
        blocking(move || write_object(&folder, share, object, &parts)).await
    }

    async fn finish(&self, manifest: &Manifest) -> Result<(), BackupFolderError> {
        let (folder, text) = (self.folder.clone(), manifest::to_text(manifest));
        blocking(move || finish(&folder, &text)).await
    }
}

fn write_object(folder: &Path, share: ShareId, object: ObjectId, parts: &[Bytes]) -> Result<u64, BackupFolderError> {
    let place = files::object(folder, share, object);
    make_folder(&files::share(folder, share))?;
    make_folder(&files::objects(folder, share))?;
    place.parent().map_or(Ok(()), make_folder)?;
    let mut file = create(&place)?;
    let mut checksum = Checksum::new();
    for part in parts {
        file.write_all(part).map_err(io_error(&place))?;
        checksum.update(part);
    }
    file.sync_data().map_err(io_error(&place))?;
    Ok(checksum.finish())
}

/// First all names, then the manifest: what it speaks of is there when it is.
fn finish(folder: &Path, manifest: &[u8]) -> Result<(), BackupFolderError> {
    for share in folders_in(folder)? {
        for objects in folders_in(&share)? {
            folders_in(&objects)?.iter().try_for_each(|part| sync_folder(part))?;
            sync_folder(&objects)?;
        }
        sync_folder(&share)?;
    }
    let (new, place) = (files::unfinished_manifest(folder), files::manifest(folder));
    let mut file = create(&new)?;
    file.write_all(manifest).and_then(|()| file.sync_all()).map_err(io_error(&new))?;
    sync_folder(folder)?;
    fs::rename(&new, &place).map_err(io_error(&place))?;
    sync_folder(folder)
}
