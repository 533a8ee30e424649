use proptest::prelude::*;

use super::*;
use crate::ntlm::message::utf16;

/// The flags of MS-NLMP 4.2.4.
const FLAGS: u32 = 0xe28a_8233;

#[test]
fn keys_and_sealed_message_are_those_of_the_standards_example() {
    // MS-NLMP 4.2.4.4
    let security = SessionSecurity::new(Zeroizing::new([0x55; 16]), FLAGS);
    let signing_key = 0x4788_dc86_1b47_82f3_5d43_fd98_fe1a_2d39_u128;
    let sealing_key = 0x59f6_0097_3cc4_960a_2548_0a7c_196e_4c58_u128;
    assert_eq!(*security.signing_key(Sender::Client), signing_key.to_be_bytes());
    assert_eq!(*security.sealing_key(Sender::Client), sealing_key.to_be_bytes());

    let plaintext = utf16("Plaintext");
    let mut sealed = plaintext.clone();
    let mut cipher = security.cipher(Sender::Client);
    cipher.apply_keystream(&mut sealed);
    assert_eq!(sealed, b"\x54\xe5\x01\x65\xbf\x19\x36\xdc\x99\x60\x20\xc1\x81\x1b\x0f\x06\xfb\x5f");
    let signature = security.signature_with_cipher(Sender::Client, &plaintext, &mut cipher).unwrap();
    assert_eq!(signature, 0x0100_0000_7fb3_8ec5_c55d_4976_0000_0000_u128.to_be_bytes());
}

#[test]
fn no_signature_without_extended_session_security() {
    let security = SessionSecurity::new(Zeroizing::new([0x55; 16]), FLAGS & !flags::EXTENDED_SESSION_SECURITY);
    assert_eq!(security.signature(Sender::Client, b"message"), None);
    assert!(!security.verify(Sender::Client, b"message", &[0; 16]));
}

#[test]
fn short_keys_differ_from_the_long_one() {
    let key = Zeroizing::new(*b"0123456789abcdef");
    let [long, middle, short] = [FLAGS, FLAGS & !flags::KEY_128, FLAGS & !(flags::KEY_128 | flags::KEY_56)]
        .map(|flags| SessionSecurity::new(key.clone(), flags).sealing_key(Sender::Server));
    assert_eq!(*middle, *derive(b"0123456", b"session key to server-to-client sealing key magic constant\0"));
    assert_eq!(*short, *derive(b"01234", b"session key to server-to-client sealing key magic constant\0"));
    assert_eq!(*long, *derive(key.as_slice(), b"session key to server-to-client sealing key magic constant\0"));
}

proptest! {
    #[test]
    fn a_side_recognises_the_others_signature_and_no_other(
        key: [u8; 16],
        message: Vec<u8>,
        at in 0_usize..16,
        change in 1_u8..,
        key_exchange: bool,
    ) {
        let flags = if key_exchange { FLAGS } else { FLAGS & !flags::KEY_EXCHANGE };
        let security = SessionSecurity::new(Zeroizing::new(key), flags);
        let mut signature = security.signature(Sender::Client, &message).unwrap();
        prop_assert!(security.verify(Sender::Client, &message, &signature));
        prop_assert!(!security.verify(Sender::Server, &message, &signature));
        prop_assert!(!security.verify(Sender::Client, &[&message[..], b"x"].concat(), &signature));
        prop_assert!(!security.verify(Sender::Client, &message, &signature[..15]));
        signature[at] ^= change;
        prop_assert!(!security.verify(Sender::Client, &message, &signature));
    }
}
