//! Seals with the newest key of a file, and opens with all that it ever had.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dittofs_domain::content::block::{FrameSeal, NONCE_BYTES};
use dittofs_ports::{FrameSealer, SealError};
use parking_lot::RwLock;

use crate::{
    file::{FileError, KeyFile},
    keyring::Keyring,
    master::MasterKey,
};

/// Seals frames with the newest key, if it seals at all, and opens those of every key that it has seen.
pub struct Sealer {
    file: Option<KeyFile>,
    seals: bool,
    keys: RwLock<Keys>,
}

#[derive(Default)]
struct Keys {
    known: BTreeMap<u32, MasterKey>,
    /// The last one in the file; 0 without one.
    newest: u32,
    /// Those that are not in the file any more.
    gone: BTreeSet<u32>,
}

/// What changed in a key file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Keys that it has now.
    pub added: Vec<u32>,
    /// Keys that it had, and which go on to be known here.
    pub removed: Vec<u32>,
    /// The key that seals, if that is another one now.
    pub seals_with: Option<u32>,
}

impl Sealer {
    /// Seals nothing and opens nothing.
    pub fn none() -> Sealer {
        Sealer { file: None, seals: false, keys: RwLock::default() }
    }

    /// With keys that are given; seals with the newest if it is to seal at all.
    pub fn with_keys(keys: Keyring, seals: bool) -> Sealer {
        let Keyring { keys: known, newest } = keys;
        Sealer { file: None, seals, keys: RwLock::new(Keys { known, newest, gone: BTreeSet::new() }) }
    }

    /// With the keys of a file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(file: KeyFile, seals: bool) -> Result<Sealer, FileError> {
        let keys = file.read()?;
        Ok(Sealer { file: Some(file), ..Sealer::with_keys(keys, seals) })
    }

    /// Reads the file again. Keys that it has no more stay known, but don't seal.
    ///
    /// # Errors
    /// What is wrong with the file; all keys are as they were.
    pub fn refresh(&self) -> Result<Refreshed, FileError> {
        let Some(file) = &self.file else { return Ok(Refreshed::default()) };
        let Keyring { keys: found, newest } = file.read()?;
        let mut keys = self.keys.write();
        let changed = found.iter().find(|(id, key)| keys.known.get(id).is_some_and(|known| known != *key));
        if let Some((key_id, _)) = changed {
            return Err(FileError::Changed { path: file.path().to_owned(), key_id: *key_id });
        }
        let gone: BTreeSet<u32> = keys.known.keys().copied().filter(|id| !found.contains_key(id)).collect();
        let refreshed = Refreshed {
            added: found.keys().copied().filter(|id| !keys.known.contains_key(id) || keys.gone.contains(id)).collect(),
            removed: gone.difference(&keys.gone).copied().collect(),
            seals_with: (self.seals && newest != keys.newest).then_some(newest),
        };
        keys.known.extend(found);
        (keys.newest, keys.gone) = (newest, gone);
        Ok(refreshed)
    }

    fn with_key<T>(&self, key_id: u32, work: impl FnOnce(&MasterKey) -> Result<T, SealError>) -> Result<T, SealError> {
        // The key is copied, so that nobody waits while a frame is sealed.
        let key = self.keys.read().known.get(&key_id).cloned();
        match key {
            Some(key) => work(&key),
            None => Err(SealError::Unknown { key_id, mend: self.mend() }),
        }
    }

    fn mend(&self) -> String {
        match &self.file {
            Some(file) => format!("put it back into the key file {}", file.path().display()),
            None => "name the key file that has it by `encryption.key_file` of the share".to_owned(),
        }
    }
}

impl FrameSealer for Sealer {
    fn key_id(&self) -> u32 {
        if self.seals { self.keys.read().newest } else { 0 }
    }

    fn demand(&self, key_id: u32) -> Result<(), SealError> {
        if key_id == 0 { Ok(()) } else { self.with_key(key_id, |_| Ok(())) }
    }

    fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE_BYTES as usize], content: &[Bytes]) -> Result<Bytes, SealError> {
        self.with_key(seal.key_id, |key| key.seal(seal, nonce, content))
    }

    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        self.with_key(seal.key_id, |key| key.open(seal, stored))
    }
}
