//! Reading a backup: whatever is answered was found to be what was written.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ShareId, content::Checksum, content::checksum};
use dittofs_ports::{
    BackupFolderError, BackupReader, BackupRows, Manifest, ObjectInBackup, RowsInBackup, ShareInBackup, SnapshotRow,
};

use crate::{
    blocking::blocking,
    files::{self, damaged, io_error, open},
    manifest, rows,
};

/// Bytes of an object that are read at a time. As much as a block has: few reads for an object of 64 MiB, and little
/// memory.
const PART_BYTES: u64 = 4 << 20;

/// A backup with a manifest.
#[derive(Debug)]
pub(crate) struct FolderReader {
    folder: PathBuf,
    manifest: Manifest,
}

impl FolderReader {
    pub(crate) fn open(folder: &Path) -> Result<FolderReader, BackupFolderError> {
        let place = files::manifest(folder);
        let text = match fs::read(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupFolderError::Unfinished(folder.to_owned()));
            }
            text => text.map_err(io_error(&place))?,
        };
        Ok(FolderReader { folder: folder.to_owned(), manifest: manifest::of_text(&text, &place)? })
    }
}

#[async_trait]
impl BackupReader for FolderReader {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn rows(&self, share: &ShareInBackup) -> Result<Box<dyn BackupRows>, BackupFolderError> {
        let (place, expected) = (files::rows(&self.folder, share.id), share.rows);
        Ok(Box::new(blocking(move || FolderRows::open(&place, expected)).await?))
    }

    async fn object(&self, share: ShareId, object: &ObjectInBackup) -> Result<Vec<Bytes>, BackupFolderError> {
        let (place, object) = (files::object(&self.folder, share, object.id), *object);
        blocking(move || read_object(&place, &object)).await
    }
}

fn read_object(place: &Path, object: &ObjectInBackup) -> Result<Vec<Bytes>, BackupFolderError> {
    let file = open(place)?;
    let length = file.metadata().map_err(io_error(place))?.len();
    if length != object.bytes {
        return Err(damaged(place, format!("it has {length} bytes instead of {}", object.bytes)));
    }
    let (mut parts, mut left, mut sum) = (Vec::new(), object.bytes, Checksum::new());
    while left > 0 {
        let mut part = Vec::new();
        let read = (&file).take(left.min(PART_BYTES)).read_to_end(&mut part).map_err(io_error(place))?;
        if read == 0 {
            return Err(damaged(place, "it ends too early"));
        }
        sum.update(&part);
        left -= read as u64;
        parts.push(Bytes::from(part));
    }
    if Some(sum.finish()) != object.checksum {
        return Err(damaged(place, "its checksum is not the one in the manifest"));
    }
    Ok(parts)
}

/// The rows of a share.
struct FolderRows(Option<RowsFile>);

struct RowsFile {
    file: File,
    place: PathBuf,
    expected: RowsInBackup,
    /// The checksum, the bytes and the rows that were read.
    checksum: Checksum,
    bytes: u64,
    rows: u64,
}

impl FolderRows {
    fn open(place: &Path, expected: RowsInBackup) -> Result<FolderRows, BackupFolderError> {
        let (file, place) = (open(place)?, place.to_owned());
        let mut opened = RowsFile { file, place, expected, checksum: Checksum::new(), bytes: 0, rows: 0 };
        let mut magic = [0; rows::MAGIC.len()];
        if !opened.read(&mut magic)? || magic != rows::MAGIC {
            return Err(damaged(&opened.place, "it does not begin as the rows of a share do"));
        }
        Ok(FolderRows(Some(opened)))
    }
}

impl RowsFile {
    /// Reads all of a buffer; false at the end of the file.
    fn read(&mut self, bytes: &mut [u8]) -> Result<bool, BackupFolderError> {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) if done == 0 => return Ok(false),
                Ok(0) => return Err(damaged(&self.place, "it ends too early")),
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io_error(&self.place)(error)),
            }
        }
        self.checksum.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(true)
    }

    /// The rows of the next frame; none at the end, if all is as the manifest says.
    fn next(&mut self) -> Result<Vec<SnapshotRow>, BackupFolderError> {
        let mut head = [0; rows::HEAD_LEN];
        if !self.read(&mut head)? {
            let found = RowsInBackup { rows: self.rows, bytes: self.bytes, checksum: self.checksum.finish() };
            return match found == self.expected {
                true => Ok(Vec::new()),
                false => Err(damaged(&self.place, "it is not the file that the manifest speaks of")),
            };
        }
        let (len, expected) = rows::head(&head).ok_or_else(|| damaged(&self.place, "a frame is too long"))?;
        let mut payload = vec![0; len];
        let is_whole = self.read(&mut payload)?;
        if !is_whole || checksum(&payload) != expected {
            return Err(damaged(&self.place, format!("the checksum of a frame before byte {} is wrong", self.bytes)));
        }
        let rows = rows::parse(&payload).filter(|rows| !rows.is_empty());
        let rows = rows.ok_or_else(|| damaged(&self.place, "a frame makes no sense"))?;
        self.rows += rows.len() as u64;
        Ok(rows)
    }
}

#[async_trait]
impl BackupRows for FolderRows {
    async fn next(&mut self) -> Result<Vec<SnapshotRow>, BackupFolderError> {
        let Some(mut file) = self.0.take() else { return Ok(Vec::new()) };
        let (rows, file) = blocking(move || Ok((file.next()?, file))).await?;
        self.0 = Some(file).filter(|_| !rows.is_empty());
        Ok(rows)
    }
}
