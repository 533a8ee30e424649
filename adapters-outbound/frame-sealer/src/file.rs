//! The file that keys are in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use thiserror::Error;
use zeroize::Zeroizing;

use crate::keyring::{KEYS_MAX, Keyring, KeyringError, line_of};

/// No file of so many keys and some remarks is longer.
const BYTES_MAX: u64 = KEYS_MAX as u64 * 256;
/// Bits of a mode that no key file has: its group may read it, others may not.
const MODE_REFUSED: u32 = 0o027;

/// A key file, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile(PathBuf);

/// Why a key file can't be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// It is not there.
    #[error("the key file {} is not there: put it back, or make the first one with `dittofs key add {}`", .0.display(), .0.display())]
    Missing(PathBuf),
    /// Others may read it.
    #[error(
        "the key file {} has the mode {mode:04o}, so that others than its owner and group may read it, or its group may write it: \
         `chmod 600 {}`, and if others may have read it, add a new key", path.display(), path.display()
    )]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is a folder or a device.
    #[error("{} is not a file: name a file with keys", .0.display())]
    NoFile(PathBuf),
    /// It is too long.
    #[error("the key file {} has more than {BYTES_MAX} bytes: name a file with keys", .0.display())]
    TooLong(PathBuf),
    /// What is in it is wrong.
    #[error("key file {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyringError,
    },
    /// A key has another value than before.
    #[error("key file {}: key {key_id} is not the one that it was: a new key needs an id of its own; put the old one back", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The key's id.
        key_id: u32,
    },
    /// There is no id left.
    #[error("key file {}: no id above {key_id} is left for another key", path.display())]
    NoId {
        /// The file.
        path: PathBuf,
        /// The greatest id in it.
        key_id: u32,
    },
    /// It can't be read or written.
    #[error("the key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl KeyFile {
    /// The file at a path.
    pub fn new(path: PathBuf) -> KeyFile {
        KeyFile(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads it. What was read is on the disk, so that no key seals anything that a power cut could take away.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn read(&self) -> Result<Keyring, FileError> {
        // Before it is opened: that of a pipe would wait.
        let metadata = fs::metadata(&self.0).map_err(|error| self.failed(error))?;
        if !metadata.is_file() {
            return Err(FileError::NoFile(self.0.clone()));
        }
        let mut file = File::open(&self.0).map_err(|error| self.failed(error))?;
        let ring = self.parsed(&self.text(&mut file)?)?;
        file.sync_all().map_err(|error| self.failed(error))?;
        Ok(ring)
    }

    /// Adds a random key, which seals from now on; makes the file where it is not there. Answers the key's id.
    ///
    /// # Errors
    /// As [`KeyFile::read`]; the file is then as it was.
    pub fn add(&self) -> Result<u32, FileError> {
        let failed = |source| FileError::Io { path: self.0.clone(), source };
        if fs::metadata(&self.0).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(FileError::NoFile(self.0.clone()));
        }
        let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.0);
        let mut file = opened.map_err(failed)?;
        // Of two who added at once one would take the other's id.
        file.lock().map_err(failed)?;
        let text = self.text(&mut file)?;
        let id = match self.parsed(&text) {
            Ok(ring) => {
                let greatest = ring.ids().last().unwrap_or(0);
                let no_id = FileError::NoId { path: self.0.clone(), key_id: greatest };
                greatest.checked_add(1).ok_or(no_id)?
            }
            Err(FileError::Content { source: KeyringError::Empty, .. }) => 1,
            Err(error) => return Err(error),
        };
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|error| failed(io::Error::other(error)))?;
        let line = line_of(id, &key);
        let ends = text.last().is_none_or(|last| *last == b'\n');
        let lines = Zeroizing::new(format!("{}{}", if ends { "" } else { "\n" }, line.as_str()));
        let added = file.write_all(lines.as_bytes()).and_then(|()| file.sync_all());
        if let Err(error) = added {
            // A half line would keep the next start from reading the others.
            let _ = file.set_len(text.len() as u64);
            return Err(failed(error));
        }
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(id)
    }

    fn text(&self, file: &mut File) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let failed = |error| self.failed(error);
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.mode() & 0o7777;
        if mode & MODE_REFUSED != 0 {
            return Err(FileError::Mode { path: self.0.clone(), mode });
        }
        if metadata.len() > BYTES_MAX {
            return Err(FileError::TooLong(self.0.clone()));
        }
        file.rewind().map_err(failed)?;
        // Room for all of it: a buffer that grows would leave copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(metadata.len() as usize + 1_024));
        file.take(metadata.len() + 1_000).read_to_end(&mut text).map_err(failed)?;
        Ok(text)
    }

    fn parsed(&self, text: &[u8]) -> Result<Keyring, FileError> {
        Keyring::parse(text).map_err(|source| FileError::Content { path: self.0.clone(), source })
    }

    fn failed(&self, source: io::Error) -> FileError {
        match source.kind() {
            io::ErrorKind::NotFound => FileError::Missing(self.0.clone()),
            _ => FileError::Io { path: self.0.clone(), source },
        }
    }
}
