//! From a password to what NTLM needs of it.

use dittofs_domain::users::NtHash;
use md4::{Digest, Md4};
use zeroize::{Zeroize, Zeroizing};

/// The proof of a password: the MD4 of its UTF-16, little-endian (NTOWFv1 of MS-NLMP, 3.3.1). Nothing else of the
/// password is kept.
pub fn nt_hash(password: &str) -> NtHash {
    // With room for all of it: a buffer that grows would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(2 * password.len()));
    password.encode_utf16().for_each(|unit| text.extend_from_slice(&unit.to_le_bytes()));
    let mut digest: [u8; NtHash::BYTES] = Md4::digest(&text).into();
    let hash = NtHash::new(digest);
    digest.zeroize();
    hash
}
