//! A master key, and the keys of objects.

use bytes::Bytes;
use dittofs_domain::{
    KeyId, ObjectId,
    content::block::{FrameSeal, NONCE_BYTES, SEAL_BYTES, TAG_BYTES},
};
use dittofs_ports::SealError;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use zeroize::Zeroize;

/// Bytes of a master key.
pub(crate) const MASTER_BYTES: usize = 32;
const NONCE: usize = NONCE_BYTES as usize;
const TAG: usize = TAG_BYTES as usize;
/// The purpose for which keys of objects are derived. Another use would have another word.
const PURPOSE: &[u8] = b"dittofs frames 1";
/// The purpose for which fingerprints are derived. A fingerprint reveals nothing about its key.
const FINGERPRINT: &[u8] = b"dittofs key fingerprint 1";

/// The purpose for which the key of users' secrets is derived.
const SECRETS: &[u8] = b"dittofs users 1";

/// 32 secret bytes, of which the keys of objects are derived.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; MASTER_BYTES]);

/// The length of the material from which a fingerprint is made.
struct Bits64;

impl KeyType for Bits64 {
    fn len(&self) -> usize {
        8
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl MasterKey {
    /// The key with these bytes, which should be random.
    pub fn new(bytes: [u8; MASTER_BYTES]) -> MasterKey {
        MasterKey(bytes)
    }

    /// The key's fingerprint, which stands in all that it seals. Never none, which the library can't know.
    pub fn id(&self) -> Option<KeyId> {
        let mut bits = [0; 8];
        let random = Salt::new(HKDF_SHA256, &[]).extract(&self.0);
        random.expand(&[FINGERPRINT], Bits64).and_then(|derived| derived.fill(&mut bits)).ok()?;
        Some(KeyId::of_fingerprint(u64::from_be_bytes(bits)))
    }

    fn of_object(&self, object: ObjectId) -> Result<LessSafeKey, Unspecified> {
        let random = Salt::new(HKDF_SHA256, &object.0.to_le_bytes()).extract(&self.0);
        let key = random.expand(&[PURPOSE], &AES_256_GCM)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }

    fn of_secrets(&self) -> Result<LessSafeKey, Unspecified> {
        let random = Salt::new(HKDF_SHA256, &[]).extract(&self.0);
        let key = random.expand(&[SECRETS], &AES_256_GCM)?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }

    /// Seals a secret in its place, for what it belongs to; answers the tag.
    pub(crate) fn seal_secret(
        &self,
        of: &[u8],
        nonce: [u8; NONCE],
        secret: &mut [u8],
    ) -> Result<[u8; TAG], Unspecified> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.of_secrets()?.seal_in_place_separate_tag(nonce, Aad::from(of), secret)?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// Opens a secret and its tag in their place.
    pub(crate) fn open_secret<'s>(
        &self,
        of: &[u8],
        nonce: [u8; NONCE],
        sealed: &'s mut [u8],
    ) -> Result<&'s mut [u8], Unspecified> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.of_secrets()?.open_in_place(nonce, Aad::from(of), sealed)
    }

    pub(crate) fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE], content: &[Bytes]) -> Result<Bytes, SealError> {
        let len: usize = content.iter().map(Bytes::len).sum();
        let mut out = Vec::with_capacity(len + SEAL_BYTES as usize);
        out.extend_from_slice(&nonce);
        content.iter().for_each(|piece| out.extend_from_slice(piece));
        let key = self.of_object(seal.object).map_err(|_| SealError::Damaged)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = out.get_mut(NONCE..).unwrap_or_default();
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(seal.associated_data()), text);
        out.extend_from_slice(tag.map_err(|_| SealError::Damaged)?.as_ref());
        Ok(Bytes::from(out))
    }

    pub(crate) fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or(SealError::Damaged)?;
        let len = sealed.len().checked_sub(TAG).ok_or(SealError::Damaged)?;
        let key = self.of_object(seal.object).map_err(|_| SealError::Damaged)?;
        let mut out = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.open_in_place(nonce, Aad::from(seal.associated_data()), &mut out);
        opened.map_err(|_| SealError::Damaged)?;
        out.truncate(len);
        Ok(Bytes::from(out))
    }
}
