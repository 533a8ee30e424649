use super::*;
use crate::header::Command;

#[test]
fn first_four_bytes_tell_the_kind() {
    let plain = Header::request(Command::ECHO, 1).encode();
    assert!(matches!(Packet::decode(plain.as_slice().into()), Ok(Packet::Plain(bytes)) if bytes == plain.as_slice()));
    assert!(matches!(Packet::decode(b"\xFCSMB".as_slice().into()), Ok(Packet::Compressed)));

    let transform =
        TransformHeader { signature: [1; 16], nonce: [2; 16], original_message_size: 3, flags: 1, session_id: 4 };
    let mut encrypted = BytesMut::from(transform.encode().as_slice());
    encrypted.extend_from_slice(b"abc");
    let Ok(Packet::Encrypted { transform: header, ciphertext }) = Packet::decode(encrypted) else {
        panic!("an encrypted message");
    };
    assert_eq!(header, transform);
    assert_eq!(ciphertext, b"abc".as_slice());
}

#[test]
fn other_bytes_are_malformed() {
    for bytes in [b"".as_slice(), b"\xFES", b"\xFBSMB....", b"HTTP/1.1", b"\xFDSMB", b"\xFFSMB"] {
        assert!(Packet::decode(bytes.into()).is_err(), "{bytes:?}");
    }
}
