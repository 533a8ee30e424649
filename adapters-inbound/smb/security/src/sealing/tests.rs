use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::{
    SessionKey, hex,
    keys::{CipherKeys, KeyDerivation},
    preauth::PreauthHash,
};

const CIPHERS: [Cipher; 4] = [Cipher::Aes128Ccm, Cipher::Aes128Gcm, Cipher::Aes256Ccm, Cipher::Aes256Gcm];

fn keys(cipher: Cipher, key: &[u8]) -> CipherKeys {
    KeyDerivation::Smb311(&PreauthHash::new()).cipher_keys(&SessionKey::new(key), cipher).unwrap()
}

fn pair(cipher: Cipher, key: &[u8], session_id: u64) -> (Sealer, Opener) {
    let sealer = Sealer::new(keys(cipher, key).server_to_client, session_id).unwrap();
    (sealer, Opener::new(keys(cipher, key).server_to_client, session_id).unwrap())
}

fn seal(sealer: &Sealer, message: &[&[u8]]) -> BytesMut {
    let mut frame = BytesMut::new();
    sealer.seal(message, &mut frame).unwrap();
    frame
}

/// Session keys and messages of "Encryption in SMB 3.0: A protocol perspective" (Open Specifications blog, 5 October
/// 2012), AES-128-CCM.
mod smb_3_0 {
    use super::*;

    const SESSION_ID: u64 = 0x0008_e400_1400_0011;
    const REQUEST: &str = "
        fd534d4281a286535415445dae393921e44fa42e66e69a111892584fb5ed524a744da3ee87000000000001001100001400e40800
        25c8fee16605a437832d1cd52da9f4645333482a175fe5384563f45fcdafaef38bc62ba4d5c62897996625a44c29be5658de2e61
        17585779e7b59ffd971278d08580d7fa899e410e910eabf5aa1db43050b33b49182637759ac15d84bfcdf5b6b238993c0f4cf4d6
        012023f6c627297075d84b7803912d0a9639634453595ef3e33ffe4e7ac2ab";
    const REQUEST_PLAIN: &str = "
        fe534d4240000100000000000900400008000000000000000400000000000000fffe0000010000001100001400e4080000000000
        000000000000000000000000310070001700000000000000000000001501000039000002010000003902000000000000000000007
        000000000000000536d623320656e6372797074696f6e2074657374696e67";
    const RESPONSE: &str = "
        fd534d42a6015530a18f6d9affe22afae8e6648486000000000000001100001400e4080050000000000001001100001400e40800
        dbf46435c5f14169293ce079e344479bf670227e49873f458672c3098dac467dd5809f369d674091665157871483e01f7becd020
        64eac3e235f913668bbc2f097980d4b378f1993eff6e60d177309e5b";
    const RESPONSE_PLAIN: &str = "
        fe534d4240000100000000000900210009000000000000000400000000000000fffe0000010000001100001400e4080000000000
        00000000000000000000000011000000170000000000000000000000";

    fn keys() -> CipherKeys {
        let key = SessionKey::new(&hex::decode("b4546771b515f766a86735532dd6c4f0"));
        KeyDerivation::Smb30.cipher_keys(&key, Cipher::Aes128Ccm).unwrap()
    }

    #[test]
    fn messages_of_windows_are_decrypted() {
        let opener = Opener::new(keys().client_to_server, SESSION_ID).unwrap();
        let opened = opener.open(BytesMut::from(hex::decode(REQUEST).as_slice())).unwrap();
        assert_eq!(opened, hex::decode(REQUEST_PLAIN));
        let opener = Opener::new(keys().server_to_client, SESSION_ID).unwrap();
        let opened = opener.open(BytesMut::from(hex::decode(RESPONSE).as_slice())).unwrap();
        assert_eq!(opened, hex::decode(RESPONSE_PLAIN));
    }
}

/// Session keys and messages of "SMB 3.1.1 Encryption in Windows 10" (Open Specifications blog, 9 September 2015),
/// AES-128-GCM.
mod smb_3_1_1 {
    use super::*;

    const SESSION_ID: u64 = 0x1000_0000_0025;
    const REQUEST: &str = "
        fd534d42bd73d97d2bc9001bcafac0fdff5feebcc7d6822d269caf48904c664c0000000087000000000001002500000000100000
        6ecdd2a7afc7b47763057a041b8fd4daffe990b70c9e09d36c084e02d14ef247f8bde38acf6256f8b1d3b56f77fbdeb312fea5e9
        2cbcc1ed8fb2ebbfaa75e49a4a394bb44576545567c24d4c014d47c9fbdfdafd2c4f9b72f8d256452620a299f48e29e53d6b61d1
        c13a19e91af013f00d17e3abc2fc3d36c8c1b6b93973253852dbd442e46ee8";
    const REQUEST_PLAIN: &str = "
        fe534d4240000100000000000900010008000000000000000500000000000000fffe000001000000250000000010000000000000
        000000000000000000000000310070001700000000000000000000000600000004000000010000000400000000000000000000007
        000000000000000536d623320656e6372797074696f6e2074657374696e67";
    const RESPONSE: &str = "
        fd534d42acbe1cb7ed343adf1725ef144d90d4b0e06831dd2e8eb7b4000000000000000050000000000001002500000000100000
        26bbbf949983a6c1c796559d0f2c510cb651d1f7b6ac8ded32a2a0b8f2d793a815c6f6b848d69767a215841a42d400ae6ddb5f0b
        44173a014973321fdd7950da6179159b82e03c9e18a050ff0ea1c967";
    const RESPONSE_PLAIN: &str = "
        fe534d4240000100000000000900010001000000000000000500000000000000fffe000001000000250000000010000000000000
        00000000000000000000000011000000170000000000000000000000";

    fn keys() -> CipherKeys {
        let key = SessionKey::new(&hex::decode("419fddf34c1e001909d362ae7fb6af79"));
        let hash = PreauthHash::from_bytes(hex::array(
            "b23f3cbfd69487d9832b79b1594a367cdd950909b774c3a4c412b4fcea9edddba7db256ba2ea30e977f11f9b113247578e0e915c
             6d2a513b8f2fca5707dc8770",
        ));
        KeyDerivation::Smb311(&hash).cipher_keys(&key, Cipher::Aes128Gcm).unwrap()
    }

    #[test]
    fn messages_of_windows_are_decrypted() {
        let opener = Opener::new(keys().client_to_server, SESSION_ID).unwrap();
        let opened = opener.open(BytesMut::from(hex::decode(REQUEST).as_slice())).unwrap();
        assert_eq!(opened, hex::decode(REQUEST_PLAIN));
        let opener = Opener::new(keys().server_to_client, SESSION_ID).unwrap();
        let opened = opener.open(BytesMut::from(hex::decode(RESPONSE).as_slice())).unwrap();
        assert_eq!(opened, hex::decode(RESPONSE_PLAIN));
    }

    #[test]
    fn message_is_encrypted_as_windows_does() {
        let sealer = Sealer::new(keys().client_to_server, SESSION_ID).unwrap();
        let mut frame = [vec![0; TransformHeader::LENGTH], hex::decode(REQUEST_PLAIN)].concat();
        sealer.seal_with_nonce(hex::array("c7d6822d269caf48904c664c00000000"), &mut frame).unwrap();
        assert_eq!(frame, hex::decode(REQUEST));
    }
}

#[test]
fn message_of_another_session_or_form_is_refused() {
    let (sealer, opener) = pair(Cipher::Aes128Gcm, &[1; 16], 7);
    let frame = seal(&sealer, &[b"message"]);
    let foreign = Opener::new(keys(Cipher::Aes128Gcm, &[1; 16]).server_to_client, 8).unwrap();
    assert_eq!(foreign.open(frame.clone()), Err(OpenError::ForeignSession));
    let other_key = Opener::new(keys(Cipher::Aes128Gcm, &[2; 16]).server_to_client, 7).unwrap();
    assert_eq!(other_key.open(frame.clone()), Err(OpenError::NotAuthentic));
    let other_direction = Opener::new(keys(Cipher::Aes128Gcm, &[1; 16]).client_to_server, 7).unwrap();
    assert_eq!(other_direction.open(frame.clone()), Err(OpenError::NotAuthentic));
    for (at, byte) in [(0, 0xfe), (36, 8), (42, 2)] {
        let mut changed = frame.clone();
        changed[at] = byte;
        assert_eq!(opener.open(changed), Err(OpenError::Malformed));
    }
    assert!(opener.open(frame).is_ok());
}

#[test]
fn ciphers_have_the_numbers_of_the_standard() {
    assert_eq!(CIPHERS.map(Cipher::id), [1, 2, 3, 4]);
    assert_eq!(CIPHERS.map(|cipher| Cipher::from_id(cipher.id())), CIPHERS.map(Some));
    assert_eq!(Cipher::from_id(0), None);
    assert_eq!(Cipher::from_id(5), None);
}

proptest! {
    #[test]
    fn header_is_read_as_it_was_written(
        signature: [u8; 16],
        nonce: [u8; 16],
        original_message_size: u32,
        flags: u16,
        session_id: u64,
    ) {
        let header = TransformHeader { signature, nonce, original_message_size, flags, session_id };
        prop_assert_eq!(TransformHeader::decode(&header.encode()), Ok(header));
        prop_assert_eq!(TransformHeader::decode(&header.encode()[1..]), Err(MalformedTransform));
    }

    #[test]
    fn message_is_decrypted_as_it_was_and_behind_what_was_there(
        key: [u8; 16],
        session_id: u64,
        message in proptest::collection::vec(any::<u8>(), 0..5000),
        cut: usize,
        before: Vec<u8>,
    ) {
        for cipher in CIPHERS {
            let (sealer, opener) = pair(cipher, &key, session_id);
            let (head, tail) = message.split_at(cut % (message.len() + 1));
            let mut frame = BytesMut::from(before.as_slice());
            sealer.seal(&[head, tail], &mut frame).unwrap();
            prop_assert_eq!(&frame[..before.len()], &before);
            let frame = frame.split_off(before.len());
            prop_assert_eq!(TransformHeader::decode(&frame).unwrap().session_id, session_id);
            prop_assert_eq!(opener.open(frame).unwrap(), &message);
        }
    }

    #[test]
    fn any_change_is_noticed(
        key: [u8; 16],
        message in proptest::collection::vec(any::<u8>(), 0..200),
        at: usize,
        change in 1_u8..,
        length: usize,
    ) {
        for cipher in CIPHERS {
            let (sealer, opener) = pair(cipher, &key, 5);
            let frame = seal(&sealer, &[&message]);
            let mut changed = frame.clone();
            changed[at % frame.len()] ^= change;
            prop_assert!(opener.open(changed).is_err());
            let mut cut = frame.clone();
            cut.truncate(length % frame.len());
            prop_assert!(opener.open(cut).is_err());
            let mut longer = frame;
            longer.extend_from_slice(b"x");
            prop_assert!(opener.open(longer).is_err());
        }
    }
}
