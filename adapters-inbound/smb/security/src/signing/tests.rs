use ::cmac::Cmac;
use ::hmac::{Hmac, KeyInit, Mac};
use aes::Aes128;
use aes_gcm::{Aes128Gcm, aead::AeadInOut};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;
use crate::{SessionKey, hex, keys::KeyDerivation, windows_session as windows};

const ALGORITHMS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::HmacSha256, SigningAlgorithm::AesCmac, SigningAlgorithm::AesGmac];

fn signing_key(key: &[u8]) -> SigningKey {
    KeyDerivation::Smb2.signing_key(&SessionKey::new(key))
}

fn signer(algorithm: SigningAlgorithm, key: &[u8]) -> Signer {
    Signer::new(algorithm, &signing_key(key)).unwrap()
}

/// A message with a header of this command and id.
fn message(command: u16, message_id: u64, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0; HEADER_LENGTH];
    message[..4].copy_from_slice(b"\xfeSMB");
    message[12..14].copy_from_slice(&command.to_le_bytes());
    message[24..32].copy_from_slice(&message_id.to_le_bytes());
    message.extend(body);
    message
}

/// The signature by another library, of a message with zeros in place of it.
fn expected(algorithm: SigningAlgorithm, key: [u8; 16], nonce: [u8; 12], message: &[u8]) -> [u8; 16] {
    match algorithm {
        SigningAlgorithm::HmacSha256 => {
            let code = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(message).finalize();
            code.into_bytes()[..16].try_into().unwrap()
        }
        SigningAlgorithm::AesCmac => {
            Cmac::<Aes128>::new(&key.into()).chain_update(message).finalize().into_bytes().into()
        }
        SigningAlgorithm::AesGmac => {
            let cipher = <Aes128Gcm as KeyInit>::new(&key.into());
            cipher.encrypt_inout_detached(&nonce.into(), message, (&mut [][..]).into()).unwrap().into()
        }
    }
}

#[test]
fn signatures_of_windows_are_verified_and_made_anew() {
    for (key, sender, digits) in [
        (windows::SIGNING_KEY, Sender::Server, windows::SETUP_RESPONSE_2),
        (windows::SIGNING_KEY, Sender::Client, windows::BINDING_REQUEST_1),
        (windows::CHANNEL_SIGNING_KEY, Sender::Server, windows::BINDING_RESPONSE_2),
    ] {
        let signer = signer(SigningAlgorithm::AesCmac, &hex::decode(key));
        let signed = hex::decode(digits);
        assert_eq!(signer.verify(sender, &signed, &[]), Ok(()));
        assert_eq!(signer.verify(sender, &signed[..70], &[&signed[70..]]), Ok(()));
        let mut message = signed.clone();
        message[16] &= !8;
        message[SIGNATURE_OFFSET..HEADER_LENGTH].fill(0x77);
        signer.sign(sender, &mut message, &[]).unwrap();
        assert_eq!(message, signed);
    }
}

#[test]
fn signature_of_another_channel_is_refused() {
    let signer = signer(SigningAlgorithm::AesCmac, &hex::decode(windows::SIGNING_KEY));
    let signed = hex::decode(windows::BINDING_RESPONSE_2);
    assert_eq!(signer.verify(Sender::Server, &signed, &[]), Err(SignatureError::Mismatch));
}

#[test]
fn nonce_is_message_id_sender_and_cancel() {
    let header = |command, id| *message(command, id, &[]).first_chunk().unwrap();
    assert_eq!(nonce(Sender::Client, &header(9, 0x0102)), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(nonce(Sender::Server, &header(9, u64::MAX)), *b"\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0");
    assert_eq!(nonce(Sender::Client, &header(0x0c, 1)), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(nonce(Sender::Client, &header(0x0c0c, 1)), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn message_shorter_than_its_header_is_refused() {
    for algorithm in ALGORITHMS {
        let signer = signer(algorithm, &[1; 16]);
        let mut message = message(9, 1, &[]);
        message.pop();
        assert_eq!(signer.sign(Sender::Client, &mut message, &[b"rest"]), Err(SignatureError::Malformed));
        assert_eq!(signer.verify(Sender::Client, &message, &[b"rest"]), Err(SignatureError::Malformed));
    }
}

#[test]
fn algorithms_have_the_numbers_of_the_standard() {
    assert_eq!(ALGORITHMS.map(SigningAlgorithm::id), [0, 1, 2]);
    assert_eq!(ALGORITHMS.map(|algorithm| SigningAlgorithm::from_id(algorithm.id())), ALGORITHMS.map(Some));
    assert_eq!(SigningAlgorithm::from_id(3), None);
}

proptest! {
    #[test]
    fn signature_is_that_of_another_library(
        key: [u8; 16],
        command in 0_u16..0x13,
        message_id: u64,
        body in proptest::collection::vec(any::<u8>(), 0..9000),
        cuts: [usize; 3],
        is_server: bool,
    ) {
        let sender = if is_server { Sender::Server } else { Sender::Client };
        for algorithm in ALGORITHMS {
            let signer = signer(algorithm, &key);
            let mut cuts = cuts.map(|cut| cut % (body.len() + 1));
            cuts.sort_unstable();
            let [first, second, third] = cuts;
            let mut head = message(command, message_id, &body[..first]);
            let rest = [&body[first..second], &body[second..third], &body[third..]];
            signer.sign(sender, &mut head, &rest).unwrap();

            let mut unsigned = message(command, message_id, &body);
            unsigned[16] |= 8;
            let bits = u8::from(is_server) + 2 * u8::from(command == 0x0c);
            let nonce: Vec<u8> = message_id.to_le_bytes().into_iter().chain([bits, 0, 0, 0]).collect();
            let expected = expected(algorithm, key, nonce.try_into().unwrap(), &unsigned);
            prop_assert_eq!(&head[SIGNATURE_OFFSET..HEADER_LENGTH], expected);
            prop_assert_eq!(signer.verify(sender, &head, &rest), Ok(()));
            prop_assert_eq!(signer.verify(sender, &[&head[..], &rest.concat()].concat(), &[]), Ok(()));
        }
    }

    #[test]
    fn any_change_is_noticed(
        key: [u8; 16],
        body in proptest::collection::vec(any::<u8>(), 0..300),
        at: usize,
        change in 1_u8..,
    ) {
        for algorithm in ALGORITHMS {
            let signer = signer(algorithm, &key);
            let mut signed = message(9, 7, &body);
            signer.sign(Sender::Client, &mut signed, &[]).unwrap();
            let at = at % signed.len();
            signed[at] ^= change;
            prop_assert_eq!(signer.verify(Sender::Client, &signed, &[]), Err(SignatureError::Mismatch));
            signed[at] ^= change;
            let other = self::signer(algorithm, &key.map(|byte| !byte));
            prop_assert_eq!(other.verify(Sender::Client, &signed, &[]), Err(SignatureError::Mismatch));
            prop_assert_eq!(signer.verify(Sender::Client, &signed, &[b"more"]), Err(SignatureError::Mismatch));
        }
    }
}
