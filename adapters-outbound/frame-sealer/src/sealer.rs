//! Seals with the newest key of a file, and opens with all that it ever had.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dittofs_domain::{
    KeyId,
    content::block::{FrameSeal, NONCE_BYTES},
};
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
    /// By their fingerprints.
    known: BTreeMap<KeyId, MasterKey>,
    /// Those that were known by a number.
    numbers: BTreeMap<u32, Vec<KeyId>>,
    /// The last one in the file; none without a file.
    newest: KeyId,
    /// Those that are not in the file any more.
    gone: BTreeSet<KeyId>,
}

impl Keys {
    /// The keys that can have this id, the newest first.
    fn named(&self, id: KeyId) -> Vec<MasterKey> {
        let fingerprints = match id.number() {
            Some(number) => self.numbers.get(&number).map_or(&[][..], Vec::as_slice),
            None => std::slice::from_ref(&id),
        };
        fingerprints.iter().rev().filter_map(|id| self.known.get(id)).cloned().collect()
    }
}

/// The changes in a key file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Keys that it has now.
    pub added: Vec<KeyId>,
    /// Keys that it had. They stay known here.
    pub removed: Vec<KeyId>,
    /// The key that seals, if that is another one now.
    pub seals_with: Option<KeyId>,
}

impl Sealer {
    /// Seals nothing and opens nothing.
    pub fn none() -> Sealer {
        Sealer { file: None, seals: false, keys: RwLock::default() }
    }

    /// With keys that are given; seals with the newest if it is to seal at all.
    pub fn with_keys(keys: Keyring, seals: bool) -> Sealer {
        let Keyring { keys: known, numbers, newest } = keys;
        Sealer { file: None, seals, keys: RwLock::new(Keys { known, numbers, newest, gone: BTreeSet::new() }) }
    }

    /// With the keys of a file.
    ///
    /// # Errors
    /// Describes the fault of the file.
    pub fn open(file: KeyFile, seals: bool) -> Result<Sealer, FileError> {
        let keys = file.read()?;
        Ok(Sealer { file: Some(file), ..Sealer::with_keys(keys, seals) })
    }

    /// Reads the file again. Keys that it has no more stay known, but don't seal.
    ///
    /// # Errors
    /// Describes the fault of the file; all keys are as they were.
    pub fn refresh(&self) -> Result<Refreshed, FileError> {
        let Some(file) = &self.file else { return Ok(Refreshed::default()) };
        let (Keyring { keys: found, numbers, newest }, on_disk) = file.load()?;
        // No key may seal anything that a power cut could take away. A file that has nothing new is not synced again.
        let is_new = |keys: &Keys| newest != keys.newest || found.keys().any(|id| !keys.known.contains_key(id));
        if is_new(&self.keys.read()) {
            file.sync(&on_disk)?;
        }
        let mut keys = self.keys.write();
        let gone: BTreeSet<KeyId> = keys.known.keys().copied().filter(|id| !found.contains_key(id)).collect();
        let refreshed = Refreshed {
            added: found.keys().copied().filter(|id| !keys.known.contains_key(id) || keys.gone.contains(id)).collect(),
            removed: gone.difference(&keys.gone).copied().collect(),
            seals_with: (self.seals && newest != keys.newest).then_some(newest),
        };
        keys.known.extend(found);
        for (number, ids) in numbers {
            let known = keys.numbers.entry(number).or_default();
            known.retain(|id| !ids.contains(id));
            known.extend(ids);
        }
        (keys.newest, keys.gone) = (newest, gone);
        Ok(refreshed)
    }

    fn named(&self, id: KeyId) -> Result<Vec<MasterKey>, SealError> {
        // The keys are copied, so that nobody waits while a frame is sealed.
        let keys = self.keys.read().named(id);
        if keys.is_empty() { Err(SealError::Unknown { key_id: id, fix: self.fix() }) } else { Ok(keys) }
    }

    fn fix(&self) -> String {
        match &self.file {
            Some(file) => format!("put it back into the key file {}", file.path().display()),
            None => "name the key file that has it by `encryption.key_file` of the share".to_owned(),
        }
    }
}

impl FrameSealer for Sealer {
    fn key_id(&self) -> KeyId {
        if self.seals { self.keys.read().newest } else { KeyId::NONE }
    }

    fn demand(&self, key_id: KeyId) -> Result<(), SealError> {
        if key_id.is_none() { Ok(()) } else { self.named(key_id).map(drop) }
    }

    fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE_BYTES as usize], content: &[Bytes]) -> Result<Bytes, SealError> {
        let keys = self.named(seal.key_id)?;
        keys.first().map_or(Err(SealError::Damaged), |key| key.seal(seal, nonce, content))
    }

    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        let keys = self.named(seal.key_id)?;
        if let Some(opened) = keys.iter().find_map(|key| key.open(seal, stored).ok()) {
            return Ok(opened);
        }
        // A number can be that of another key too. What names its key by a fingerprint was altered.
        match seal.key_id.is_fingerprint() {
            true => Err(SealError::Damaged),
            false => Err(SealError::Wrong { key_id: seal.key_id, fix: self.fix() }),
        }
    }
}
