use aes_gcm::{Aes128Gcm, Aes256Gcm};
use proptest::prelude::*;

use super::*;
use crate::{SessionKey, keys::KeyDerivation, preauth::PreauthHash};

const CCM_128: &str = "
    286c39cd550513980af9339d1b6be4e6e0d001b928a62b0dc3854f459c1114cc29ae3311d6744c988ff0d80ae56e5a1a873dfe35
    ece52c7376793ad5a73548c589b9f6efc39cb32be7b28dc72f3142c7308e7b873ecee1288570079301";

const CCM_256: &str = "
    11cbfb8bd29a9d61a48f48e98f8d6bb9e7c8b21924000755f0226fcf35dcea9bbd3809eb298feb1225bd1318e4fcbd4d17588bf8
    62f1a4c886aa352e5b1adc28a9bb8566cf078ee46ba51d1a2fc6522f5a93c074042a67155e209ef72b";

fn key(cipher: Cipher, session_key: [u8; 16]) -> CipherKey {
    let hash = PreauthHash::new();
    KeyDerivation::Smb311(&hash).cipher_keys(&SessionKey::new(&session_key), cipher).unwrap().client_to_server
}

proptest! {
    #[test]
    fn implementations_of_gcm_agree_with_each_other_and_a_third(
        session_key: [u8; 16],
        nonce: [u8; 16],
        associated: [u8; 32],
        message in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
            let key = key(cipher, session_key);
            let mut expected = message.clone();
            let nonce_12 = gcm_nonce(&nonce).into();
            let expected_tag: [u8; 16] = match cipher {
                Cipher::Aes128Gcm => Aes128Gcm::new_from_slice(key.as_bytes())
                    .unwrap()
                    .encrypt_inout_detached(&nonce_12, &associated, expected.as_mut_slice().into()),
                _ => Aes256Gcm::new_from_slice(key.as_bytes())
                    .unwrap()
                    .encrypt_inout_detached(&nonce_12, &associated, expected.as_mut_slice().into()),
            }
            .unwrap()
            .into();
            for aead in [Aead::new(&key), Aead::new_ring(&key), Aead::new_aws_lc(&key)].map(Result::unwrap) {
                let mut sealed = message.clone();
                let tag = aead.seal(&nonce, &associated, &mut sealed).unwrap();
                prop_assert_eq!((tag, &sealed), (expected_tag, &expected));
                aead.open(&nonce, &associated, &mut sealed, &tag).unwrap();
                prop_assert_eq!(&sealed, &message);
                let mut wrong = tag;
                wrong[15] ^= 1;
                prop_assert!(aead.open(&nonce, &associated, &mut expected.clone(), &wrong).is_err());
            }
        }
    }
}

#[test]
fn ccm_is_that_of_another_library() {
    // By OpenSSL 3, through Python's cryptography.
    for (cipher, expected) in [(Cipher::Aes128Ccm, CCM_128), (Cipher::Aes256Ccm, CCM_256)] {
        let aead = Aead::new(&key(cipher, *b"0123456789abcdef")).unwrap();
        let mut message: Vec<u8> = (0..77).collect();
        let tag = aead.seal(b"nonce of 11\0\0\0\0\0", &[3; 32], &mut message).unwrap();
        message.extend(tag);
        assert_eq!(message, crate::hex::decode(expected));
    }
}
