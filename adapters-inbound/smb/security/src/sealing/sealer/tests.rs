use std::{collections::HashSet, thread};

use super::*;
use crate::{SessionKey, keys::KeyDerivation, preauth::PreauthHash, sealing::Cipher};

fn sealer(cipher: Cipher) -> Sealer {
    let hash = PreauthHash::new();
    let keys = KeyDerivation::Smb311(&hash).cipher_keys(&SessionKey::new(&[1; 16]), cipher).unwrap();
    Sealer::new(keys.server_to_client, 7).unwrap()
}

fn nonce(sealer: &Sealer) -> [u8; 16] {
    let mut frame = [0; TransformHeader::LENGTH + 4];
    sealer.seal_in_place(&mut frame).unwrap();
    TransformHeader::decode(&frame).unwrap().nonce
}

#[test]
fn nonces_count_and_fit_into_those_of_the_cipher() {
    for cipher in [Cipher::Aes128Ccm, Cipher::Aes128Gcm, Cipher::Aes256Ccm, Cipher::Aes256Gcm] {
        let sealer = sealer(cipher);
        for count in 0_u128..300 {
            assert_eq!(nonce(&sealer), count.to_le_bytes());
        }
        sealer.next_nonce.store(u64::MAX - 1, Ordering::Relaxed);
        assert_eq!(nonce(&sealer), u128::from(u64::MAX - 1).to_le_bytes());
    }
}

#[test]
fn nonces_are_refused_when_they_are_used_up() {
    let sealer = sealer(Cipher::Aes128Gcm);
    sealer.next_nonce.store(u64::MAX, Ordering::Relaxed);
    let mut frame = BytesMut::from(&b"transport"[..]);
    for _ in 0..3 {
        assert_eq!(sealer.seal(&[b"message"], &mut frame), Err(SealError::Exhausted));
        assert_eq!(frame, &b"transport"[..]);
    }
}

#[test]
fn threads_never_get_the_same_nonce() {
    let sealer = sealer(Cipher::Aes128Gcm);
    let nonces: Vec<[u8; 16]> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..1000).map(|_| nonce(&sealer)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), 4000);
}

#[test]
fn frame_without_room_for_the_header_is_refused() {
    let sealer = sealer(Cipher::Aes128Ccm);
    assert_eq!(sealer.seal_in_place(&mut [0; TransformHeader::LENGTH - 1]), Err(SealError::Length));
    assert_eq!(sealer.seal_in_place(&mut [0; TransformHeader::LENGTH]), Ok(()));
}
