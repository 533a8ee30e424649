//! The format as it was released: an object with a sealed block, as bytes.

use dittofs_domain::{
    Epoch, KeyId, ShareId,
    content::object::{ObjectBuilder, scan},
};
use rstest::rstest;

use super::*;

const KEY: &str = "5 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// An object of share 5 with one block, "hello" at 4096 of file 9, sealed with the key above.
const OBJECT: [&str; 9] = [
    // The object's head.
    "44464f4202000000edfe00000000000000000000000000000500000000000000",
    "0600000000000000a50000000000000001000000000000000e456fce2e590be7",
    // The block's head.
    "4446424b02000000050000000500000009000000000000000010000000000000",
    "4d000000000000000100000000000000",
    // Its table.
    "21000000ec88834c6b3ad74b",
    // Its checksum.
    "7a8be599842bbbc3",
    // The nonce.
    "abababababababababababab",
    // The sealed bytes.
    "3d048aeb57",
    // The tag.
    "5234881a4d27b4f1224762655df217f8",
];

/// The same as it is written since keys have fingerprints.
const NAMED_BY_FINGERPRINT: [&str; 9] = [
    "44464f4202000000edfe00000000000000000000000000000500000000000000",
    "0600000000000000a50000000000000001000000000000000e456fce2e590be7",
    "4446424b03000000d270cc800500000009000000000000000010000000000000",
    "4d000000000000000100000081b605a3",
    "21000000faec06974ca3d69d",
    "77c23c91b185d451",
    "abababababababababababab",
    "3d048aeb57",
    "e133792f227b9d7f48a1cbcf661bcb55",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(key_id: KeyId) -> Vec<u8> {
    let sealer = sealer(KEY);
    let mut seal = |seal: &FrameSeal, content: &[Bytes]| sealer.seal(seal, [0xab; 12], content).ok();
    let sealing = FrameSealing { key_id, seal: &mut seal };
    let mut builder = ObjectBuilder::new(ObjectId(0xfeed), ShareId(5), Epoch(6));
    let encoder = FrameEncoder { codec: CODEC_NONE, encode: &mut |_| None };
    builder.push_sealed(SPEC, &[Bytes::from_static(b"hello")], encoder, sealing).unwrap();
    builder.finish().concat()
}

#[test]
fn the_format_of_sealed_frames_does_not_change() {
    assert_eq!(hex(&object(KeyId::of_number(5))), OBJECT.concat());
    assert_eq!(hex(&object(sealer(KEY).key_id())), NAMED_BY_FINGERPRINT.concat());
}

#[rstest]
#[case::number(&OBJECT, KeyId::of_number(5))]
#[case::fingerprint(&NAMED_BY_FINGERPRINT, sealer(KEY).key_id())]
fn an_object_of_any_release_opens_with_its_key_alone(#[case] object: &[&str; 9], #[case] key_id: KeyId) {
    let bytes: Vec<u8> = object
        .concat()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let (head, blocks) = scan(&bytes).unwrap();
    let [(at, block)] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!((block.key_id, block.node, block.offset), (key_id, NodeId(9), 4_096));
    let opened = opened(&sealer(KEY), (head.object, *at), &bytes[*at as usize..]);
    assert_eq!(opened.unwrap(), b"hello");
}
