//! The file that keys are in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use dittofs_domain::KeyId;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    keyring::{KEYS_MAX, Keyring, KeyringError, line_of},
    master::MasterKey,
};

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
    /// It is not there. Another key is no help where something is sealed with those that were in it.
    #[error("the key file {} is not there: put it back from a copy", .0.display())]
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
    /// Its contents are wrong.
    #[error("key file {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The fault.
        source: KeyringError,
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

    /// Reads it. The keys that were read are on the disk, so that no key seals anything that a power cut could take
    /// away.
    ///
    /// # Errors
    /// Describes the fault of the file, and says what to do.
    pub fn read(&self) -> Result<Keyring, FileError> {
        let (ring, file) = self.load()?;
        self.sync(&file)?;
        Ok(ring)
    }

    /// Reads it. What was read may not be on the disk yet; the file is answered to be synced.
    pub(crate) fn load(&self) -> Result<(Keyring, File), FileError> {
        // Before it is opened: that of a pipe would wait.
        let metadata = fs::metadata(&self.0).map_err(|error| self.failed(error))?;
        if !metadata.is_file() {
            return Err(FileError::NoFile(self.0.clone()));
        }
        let mut file = File::open(&self.0).map_err(|error| self.failed(error))?;
        let ring = self.parsed(&self.text(&mut file)?)?;
        Ok((ring, file))
    }

    pub(crate) fn sync(&self, file: &File) -> Result<(), FileError> {
        file.sync_all().map_err(|error| self.failed(error))
    }

    /// Adds a random key, which seals from now on; makes the file where it is not there. Answers the key's
    /// fingerprint.
    ///
    /// # Errors
    /// As [`KeyFile::read`]; the file is then as it was.
    pub fn add(&self) -> Result<KeyId, FileError> {
        let failed = |source| FileError::Io { path: self.0.clone(), source };
        if fs::metadata(&self.0).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(FileError::NoFile(self.0.clone()));
        }
        let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.0);
        let mut file = opened.map_err(failed)?;
        // Of two who add at once one could write into the line of the other.
        file.lock().map_err(failed)?;
        let text = self.text(&mut file)?;
        match self.parsed(&text) {
            Ok(_) | Err(FileError::Content { source: KeyringError::Empty, .. }) => {}
            Err(error) => return Err(error),
        }
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).map_err(|error| failed(io::Error::other(error)))?;
        let id = MasterKey::new(*key).id().ok_or_else(|| failed(io::Error::other("the key has no fingerprint")))?;
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
