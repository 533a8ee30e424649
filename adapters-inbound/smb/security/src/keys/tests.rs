use ::hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::{hex, windows_session as windows};

fn session_key(digits: &str) -> SessionKey {
    SessionKey::new(&hex::decode(digits))
}

/// The hash of the Windows session's messages, each of which is checked on the way.
fn windows_hash() -> PreauthHash {
    let messages = [
        windows::NEGOTIATE_REQUEST,
        windows::NEGOTIATE_RESPONSE,
        windows::SETUP_REQUEST_1,
        windows::SETUP_RESPONSE_1,
        windows::SETUP_REQUEST_2,
    ];
    let mut hash = PreauthHash::new();
    for (message, expected) in messages.into_iter().zip(windows::PREAUTH_HASHES) {
        hash.update(&[&hex::decode(message)]);
        assert_eq!(hash.as_bytes(), &hex::array(expected));
    }
    hash
}

#[test]
fn keys_of_3_1_1_are_those_of_windows() {
    let hash = windows_hash();
    let derivation = KeyDerivation::Smb311(&hash);
    let key = session_key(windows::SESSION_KEY);
    assert_eq!(derivation.signing_key(&key).as_bytes(), &hex::array(windows::SIGNING_KEY));
    assert_eq!(derivation.application_key(&key).as_bytes(), &hex::array(windows::APPLICATION_KEY));
    let keys = derivation.cipher_keys(&key, Cipher::Aes128Gcm).unwrap();
    assert_eq!(keys.client_to_server.as_bytes(), hex::decode(windows::CLIENT_TO_SERVER_KEY));
    assert_eq!(keys.server_to_client.as_bytes(), hex::decode(windows::SERVER_TO_CLIENT_KEY));
}

#[test]
fn signing_key_of_a_further_channel_is_that_of_windows() {
    let hash = PreauthHash::from_bytes(hex::array(windows::CHANNEL_PREAUTH_HASH));
    let key = KeyDerivation::Smb311(&hash).signing_key(&session_key(windows::CHANNEL_SESSION_KEY));
    assert_eq!(key.as_bytes(), &hex::array(windows::CHANNEL_SIGNING_KEY));
}

#[test]
fn keys_of_3_0_are_those_of_windows() {
    // The same article, first and second channel of a session in dialect 3.0.
    let key = session_key("7cd451825d0450d235424e44ba6e78cc");
    let derivation = KeyDerivation::Smb30;
    assert_eq!(derivation.signing_key(&key).as_bytes(), &hex::array("0b7e9c5cac36c0f6ea9ab275298cedce"));
    assert_eq!(derivation.application_key(&key).as_bytes(), &hex::array("bb23a4575aa26c721af525af15a87b4f"));
    let keys = derivation.cipher_keys(&key, Cipher::Aes128Ccm).unwrap();
    assert_eq!(keys.client_to_server.as_bytes(), hex::decode("fad27796665b313ebb578f388632b4f7"));
    assert_eq!(keys.server_to_client.as_bytes(), hex::decode("b0f0427f7ceb416d1d9dcc0cd4f99447"));
    let channel = session_key("4e01a2b313bcf660cc250bef021aede6");
    assert_eq!(derivation.signing_key(&channel).as_bytes(), &hex::array("ba1a17dbbfec349bca105563d598952f"));
}

#[test]
fn dialects_2_use_the_session_key_and_do_not_encrypt() {
    let key = session_key(windows::SESSION_KEY);
    assert_eq!(KeyDerivation::Smb2.signing_key(&key).as_bytes(), &hex::array(windows::SESSION_KEY));
    assert_eq!(KeyDerivation::Smb2.application_key(&key).as_bytes(), &hex::array(windows::SESSION_KEY));
    assert!(KeyDerivation::Smb2.cipher_keys(&key, Cipher::Aes128Ccm).is_none());
}

/// SP800-108 in counter mode by another library, one round of which is enough.
fn expected(key: &[u8], label: &[u8], context: &[u8], bits: u32) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(&[&[0, 0, 0, 1], label, &[0], context, &bits.to_be_bytes()].concat());
    hmac.finalize().into_bytes()[..bits as usize / 8].to_vec()
}

proptest! {
    #[test]
    fn long_ciphers_use_the_full_session_key_and_256_bits(
        key in prop_oneof![proptest::collection::vec(any::<u8>(), 16), proptest::collection::vec(any::<u8>(), 32)],
        message: Vec<u8>,
    ) {
        let mut hash = PreauthHash::new();
        hash.update(&[&message]);
        let derivation = KeyDerivation::Smb311(&hash);
        let session_key = SessionKey::new(&key);
        for cipher in [Cipher::Aes256Ccm, Cipher::Aes256Gcm] {
            let keys = derivation.cipher_keys(&session_key, cipher).unwrap();
            let client_to_server = expected(&key, b"SMBC2SCipherKey\0", hash.as_bytes(), 256);
            let server_to_client = expected(&key, b"SMBS2CCipherKey\0", hash.as_bytes(), 256);
            prop_assert_eq!(keys.client_to_server.as_bytes(), client_to_server);
            prop_assert_eq!(keys.server_to_client.as_bytes(), server_to_client);
        }
        let signing_key = expected(&key[..16], b"SMBSigningKey\0", hash.as_bytes(), 128);
        prop_assert_eq!(derivation.signing_key(&session_key).as_bytes().to_vec(), signing_key);
    }
}

#[test]
fn keys_do_not_print() {
    let key = session_key(windows::SESSION_KEY);
    let keys = KeyDerivation::Smb30.cipher_keys(&key, Cipher::Aes128Ccm).unwrap();
    let printed = format!(
        "{:?} {:?} {:?}",
        KeyDerivation::Smb2.signing_key(&key),
        KeyDerivation::Smb2.application_key(&key),
        keys.client_to_server
    );
    assert_eq!(printed, "SigningKey(secret) ApplicationKey(secret) CipherKey(Aes128Ccm, secret)");
}
