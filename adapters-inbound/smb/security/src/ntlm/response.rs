//! How a response is computed from a password's hash (MS-NLMP 3.3.2).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use zeroize::Zeroizing;

use super::upper_case::upper_case;
use crate::NtHash;

/// HMAC-MD5 over the pieces.
pub(crate) fn hmac_md5(key: &[u8; 16], pieces: &[&[u8]]) -> [u8; 16] {
    // HMAC fills a short key up with zeros to the length of a block (RFC 2104), which makes the constructor
    // infallible.
    let mut block = Zeroizing::new([0; 64]);
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut hmac = Hmac::<Md5>::new((&*block).into());
    for piece in pieces {
        hmac.update(piece);
    }
    hmac.finalize().into_bytes().into()
}

/// A key of a user, a domain and a password: NTOWFv2. `user` and `domain` are UTF-16LE as sent.
pub(crate) fn response_key(hash: &NtHash, user: &[u8], domain: &[u8]) -> Zeroizing<[u8; 16]> {
    Zeroizing::new(hmac_md5(hash.as_bytes(), &[&upper_case(user), domain]))
}

/// NTProofStr: proves that the client knows the key, for this challenge and all that the response says.
pub(crate) fn proof(response_key: &[u8; 16], server_challenge: [u8; 8], covered: &[u8]) -> [u8; 16] {
    hmac_md5(response_key, &[&server_challenge, covered])
}

/// SessionBaseKey, which with version 2 is the KeyExchangeKey, too (MS-NLMP 3.4.5.1).
pub(crate) fn session_base_key(response_key: &[u8; 16], proof: &[u8; 16]) -> Zeroizing<[u8; 16]> {
    Zeroizing::new(hmac_md5(response_key, &[proof]))
}
