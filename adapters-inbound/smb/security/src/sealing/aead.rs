//! The ciphers behind one face.

use aes::{Aes128, Aes256};
use aws_lc_rs::aead as aws_lc;
use ccm::{
    Ccm, KeyInit,
    aead::AeadInOut,
    consts::{U11, U16},
};
use ring::aead as ring;

use super::cipher::Cipher;
use crate::{CryptoFailure, keys::CipherKey};

/// A cipher with its key schedule. It can be shared between threads.
///
/// AES-GCM has two implementations, because none is the fastest everywhere. Where the processor has vector AES but no
/// AVX-512, `ring` encrypts twice as fast as `aws-lc-rs` (6.5 to 2.9 GB/s measured); with AVX-512, `aws-lc-rs` is a
/// quarter faster (12.5 to 10.0 GB/s). CCM is in neither of them.
pub(super) enum Aead {
    AwsLcGcm(Box<aws_lc::LessSafeKey>),
    RingGcm(Box<ring::LessSafeKey>),
    Aes128Ccm(Box<Ccm<Aes128, U16, U11>>),
    Aes256Ccm(Box<Ccm<Aes256, U16, U11>>),
}

impl Aead {
    /// Sets up the key, with the fastest implementation.
    pub(super) fn new(key: &CipherKey) -> Result<Self, CryptoFailure> {
        match key.cipher() {
            Cipher::Aes128Ccm => {
                Ccm::new_from_slice(key.as_bytes()).map(Box::new).map(Self::Aes128Ccm).map_err(|_| CryptoFailure)
            }
            Cipher::Aes256Ccm => {
                Ccm::new_from_slice(key.as_bytes()).map(Box::new).map(Self::Aes256Ccm).map_err(|_| CryptoFailure)
            }
            Cipher::Aes128Gcm | Cipher::Aes256Gcm if has_avx512() => Self::new_aws_lc(key),
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => Self::new_ring(key),
        }
    }

    pub(super) fn new_aws_lc(key: &CipherKey) -> Result<Self, CryptoFailure> {
        let algorithm = if key.as_bytes().len() == 16 { &aws_lc::AES_128_GCM } else { &aws_lc::AES_256_GCM };
        let key = aws_lc::UnboundKey::new(algorithm, key.as_bytes()).map_err(|_| CryptoFailure)?;
        Ok(Self::AwsLcGcm(Box::new(aws_lc::LessSafeKey::new(key))))
    }

    pub(super) fn new_ring(key: &CipherKey) -> Result<Self, CryptoFailure> {
        let algorithm = if key.as_bytes().len() == 16 { &ring::AES_128_GCM } else { &ring::AES_256_GCM };
        let key = ring::UnboundKey::new(algorithm, key.as_bytes()).map_err(|_| CryptoFailure)?;
        Ok(Self::RingGcm(Box::new(ring::LessSafeKey::new(key))))
    }

    /// Encrypts in place, and returns the tag. GCM takes the first 12 bytes of the nonce, CCM the first 11.
    pub(super) fn seal(
        &self,
        nonce: &[u8; 16],
        associated: &[u8],
        message: &mut [u8],
    ) -> Result<[u8; 16], CryptoFailure> {
        match self {
            Self::AwsLcGcm(key) => {
                let nonce = aws_lc::Nonce::assume_unique_for_key(gcm_nonce(nonce));
                let tag = key.seal_in_place_separate_tag(nonce, aws_lc::Aad::from(associated), message);
                tag.ok().and_then(|tag| tag.as_ref().try_into().ok()).ok_or(CryptoFailure)
            }
            Self::RingGcm(key) => {
                let nonce = ring::Nonce::assume_unique_for_key(gcm_nonce(nonce));
                let tag = key.seal_in_place_separate_tag(nonce, ring::Aad::from(associated), message);
                tag.ok().and_then(|tag| tag.as_ref().try_into().ok()).ok_or(CryptoFailure)
            }
            Self::Aes128Ccm(ccm) => seal_ccm(ccm.as_ref(), nonce, associated, message),
            Self::Aes256Ccm(ccm) => seal_ccm(ccm.as_ref(), nonce, associated, message),
        }
    }

    /// Decrypts in place. If that fails, what is left in place means nothing.
    pub(super) fn open(
        &self,
        nonce: &[u8; 16],
        associated: &[u8],
        message: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), CryptoFailure> {
        match self {
            Self::AwsLcGcm(key) => {
                let nonce = aws_lc::Nonce::assume_unique_for_key(gcm_nonce(nonce));
                let opened = key.open_in_place_separate_tag(nonce, aws_lc::Aad::from(associated), tag, message);
                opened.map(drop).map_err(|_| CryptoFailure)
            }
            Self::RingGcm(key) => {
                let nonce = ring::Nonce::assume_unique_for_key(gcm_nonce(nonce));
                let aad = ring::Aad::from(associated);
                let opened = key.open_in_place_separate_tag(nonce, aad, ring::Tag::from(*tag), message, 0..);
                opened.map(drop).map_err(|_| CryptoFailure)
            }
            Self::Aes128Ccm(ccm) => open_ccm(ccm.as_ref(), nonce, associated, message, tag),
            Self::Aes256Ccm(ccm) => open_ccm(ccm.as_ref(), nonce, associated, message, tag),
        }
    }
}

/// True if the processor has what the fastest code of `aws-lc-rs` needs.
fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("vpclmulqdq");
    #[cfg(not(target_arch = "x86_64"))]
    let has = false;
    has
}

fn gcm_nonce(nonce: &[u8; 16]) -> [u8; 12] {
    let [nonce @ .., _, _, _, _] = *nonce;
    nonce
}

fn ccm_nonce(nonce: &[u8; 16]) -> [u8; 11] {
    let [nonce @ .., _, _, _, _, _] = *nonce;
    nonce
}

fn seal_ccm<C>(ccm: &C, nonce: &[u8; 16], associated: &[u8], message: &mut [u8]) -> Result<[u8; 16], CryptoFailure>
where
    C: AeadInOut<NonceSize = U11, TagSize = U16>,
{
    let tag = ccm.encrypt_inout_detached(&ccm_nonce(nonce).into(), associated, message.into());
    tag.map(Into::into).map_err(|_| CryptoFailure)
}

fn open_ccm<C>(
    ccm: &C,
    nonce: &[u8; 16],
    associated: &[u8],
    message: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), CryptoFailure>
where
    C: AeadInOut<NonceSize = U11, TagSize = U16>,
{
    let opened = ccm.decrypt_inout_detached(&ccm_nonce(nonce).into(), associated, message.into(), tag.into());
    opened.map_err(|_| CryptoFailure)
}

#[cfg(test)]
mod tests;
