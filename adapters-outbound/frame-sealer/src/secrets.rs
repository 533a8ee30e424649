//! Secrets of users, sealed with the keys of a file that is the server's own.

use dittofs_domain::{
    KeyId,
    users::{NtHash, SealedSecret, UserName},
};
use dittofs_ports::{SecretError, SecretSealer};
use zeroize::Zeroizing;

use crate::{
    file::{FileError, KeyFile},
    keyring::{Keyring, KeyringError},
};

/// The version of sealed secrets: this byte, the key's fingerprint (8 bytes, little-endian), the nonce (12), the sealed
/// hash (16) and its tag (16).
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// Begins what a secret is sealed for. The user's folded name ends it.
const PURPOSE: &[u8] = b"dittofs user secret 1 ";

/// Seals secrets of users with the newest key of a file, and opens those of every key in it. The file is read at each
/// call: a logon is rare beside everything else.
pub struct SecretKeys {
    file: Option<KeyFile>,
}

impl SecretKeys {
    /// With the keys of a file, be it there or not.
    pub fn of_file(file: KeyFile) -> SecretKeys {
        SecretKeys { file: Some(file) }
    }

    /// Without a place for keys.
    pub fn none() -> SecretKeys {
        SecretKeys { file: None }
    }

    fn file(&self) -> Result<&KeyFile, SecretError> {
        let fix = || "name a file for it by the key users.key_file, or a data folder by --data".to_owned();
        self.file.as_ref().ok_or_else(|| SecretError::NoKey { fix: fix() })
    }

    fn keys(&self, is_to_seal: bool) -> Result<Keyring, SecretError> {
        let file = self.file()?;
        // What seals must be on the disk, or a power cut could take the key and leave what it has sealed.
        let ring = if is_to_seal { file.read() } else { file.load().map(|(ring, _)| ring) };
        ring.map_err(refused)
    }
}

fn is_without_key(error: &FileError) -> bool {
    matches!(error, FileError::Missing(_) | FileError::Content { source: KeyringError::Empty, .. })
}

fn refused(error: FileError) -> SecretError {
    match is_without_key(&error) {
        true => SecretError::NoKey { fix: error.to_string() },
        false => SecretError::Unusable { fix: error.to_string() },
    }
}

/// What a secret is sealed for: another user's can't be put in its place.
fn associated(name: &UserName) -> Vec<u8> {
    [PURPOSE, name.folded().as_bytes()].concat()
}

impl SecretSealer for SecretKeys {
    fn make_key(&self) -> Result<(), SecretError> {
        let file = self.file()?;
        match file.read() {
            Ok(_) => Ok(()),
            Err(error) if is_without_key(&error) => file.add().map(drop).map_err(refused),
            Err(error) => Err(refused(error)),
        }
    }

    fn seal(&self, name: &UserName, nonce: [u8; NONCE_BYTES], secret: &NtHash) -> Result<SealedSecret, SecretError> {
        let ring = self.keys(true)?;
        let key = ring.keys.get(&ring.newest).ok_or(SecretError::Damaged)?;
        let mut text = Zeroizing::new(*secret.bytes());
        let tag = key.seal_secret(&associated(name), nonce, text.as_mut()).map_err(|_| SecretError::Damaged)?;
        let sealed = [&[VERSION][..], &ring.newest.0.to_le_bytes(), &nonce, text.as_ref(), &tag].concat();
        SealedSecret::new(&sealed).ok_or(SecretError::Damaged)
    }

    fn open(&self, name: &UserName, sealed: &SealedSecret) -> Result<NtHash, SecretError> {
        let (key_id, nonce, text) = parts(sealed.bytes()).ok_or(SecretError::Damaged)?;
        let ring = self.keys(false)?;
        let Some(key) = ring.keys.get(&key_id) else {
            let place = self.file()?.path().display().to_string();
            return Err(SecretError::Unknown { key_id, fix: format!("put it back into the key file {place}") });
        };
        let mut text = Zeroizing::new(*text);
        let opened = key.open_secret(&associated(name), *nonce, text.as_mut()).map_err(|_| SecretError::Damaged)?;
        let hash = opened.first_chunk::<{ NtHash::BYTES }>().ok_or(SecretError::Damaged)?;
        Ok(NtHash::new(*hash))
    }
}

type Sealed = [u8; NtHash::BYTES + TAG_BYTES];

/// None for bytes that are no sealed secret of this version.
fn parts(bytes: &[u8]) -> Option<(KeyId, &[u8; NONCE_BYTES], &Sealed)> {
    let (version, rest) = bytes.split_first()?;
    let (key_id, rest) = rest.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let text = rest.try_into().ok()?;
    (*version == VERSION).then_some((KeyId(u64::from_le_bytes(*key_id)), nonce, text))
}
