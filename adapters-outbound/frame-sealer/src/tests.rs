mod files;
mod format;
mod secrets;

use bytes::Bytes;
use dittofs_domain::{
    KeyId, NodeId, ObjectId, Sequence,
    content::{
        FRAME_BYTES,
        block::{
            BlockError, BlockHead, BlockSpec, CODEC_NONE, FrameEncoder, FrameSeal, FrameSealing, SEAL_BYTES,
            build_sealed, head_len,
        },
        checksum,
    },
};
use dittofs_ports::{FrameSealer, SealError};
use proptest::prelude::*;

use super::*;

const SPEC: BlockSpec = BlockSpec { node: NodeId(9), offset: 4_096, seq: Sequence(77) };
const PLACE: (ObjectId, u64) = (ObjectId(0xfeed), 64);

fn sealer(text: &str) -> Sealer {
    Sealer::with_keys(Keyring::parse(text.as_bytes()).unwrap(), true)
}

/// A line of a key file, as those are that were written before there were fingerprints.
fn line(id: u32, byte: u8) -> String {
    format!("{id} {}\n", format!("{byte:02x}").repeat(32))
}

/// The fingerprint of the key in such a line.
fn id(byte: u8) -> KeyId {
    MasterKey::new([byte; 32]).id().unwrap()
}

fn sealed(sealer: &dyn FrameSealer, place: (ObjectId, u64), raw: &[u8]) -> Vec<u8> {
    sealed_as(sealer.key_id(), sealer, place, raw)
}

/// Sealed under an id that may be a number, as older releases did.
fn sealed_as(key_id: KeyId, sealer: &dyn FrameSealer, place: (ObjectId, u64), raw: &[u8]) -> Vec<u8> {
    let mut number = 0u8;
    let mut seal = |seal: &FrameSeal, content: &[Bytes]| {
        number += 1;
        Some(sealer.seal(seal, [number; 12], content).unwrap())
    };
    let sealing = FrameSealing { key_id, seal: &mut seal };
    let pieces: Vec<Bytes> = raw.chunks(10_000).map(Bytes::copy_from_slice).collect();
    let encoder = FrameEncoder { codec: CODEC_NONE, encode: &mut |_| None };
    let built = build_sealed(SPEC, &pieces, encoder, place, sealing).unwrap();
    let mut bytes = built.head.encode_in(place.0, place.1);
    built.segments.iter().skip(1).for_each(|frame| bytes.extend_from_slice(frame));
    bytes
}

/// A block as who has no checksums would read it: only the seals are looked at.
fn opened(sealer: &dyn FrameSealer, place: (ObjectId, u64), bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let damaged = |_: BlockError| SealError::Damaged;
    let head = BlockHead::parse_in(&resummed(bytes, place), place.0, place.1).map_err(damaged)?;
    let run = head.frames_of(0..head.raw_len).unwrap();
    let mut raw = Vec::new();
    for frame in head.stored_frames(&run) {
        let stored = bytes.get(frame.stored.start as usize..frame.stored.end as usize).ok_or(SealError::Damaged)?;
        raw.extend_from_slice(&sealer.open(&head.frame_seal(place.0, place.1, frame.index), stored)?);
    }
    Ok(raw)
}

/// The checksum of the head made right.
fn resummed(bytes: &[u8], (object, at): (ObjectId, u64)) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let raw_len = u32::from_le_bytes(bytes[12..16].try_into().unwrap());
    let end = head_len(raw_len.min(4 << 20)) as usize;
    if end <= bytes.len() {
        let place = [&object.0.to_le_bytes()[..], &at.to_le_bytes()].concat();
        let sum = checksum(&bytes[..end - 8]) ^ checksum(&place);
        bytes[end - 8..end].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// Binds frames to nothing: the tests below must notice.
struct Careless(Sealer);

impl Careless {
    fn unbound(seal: &FrameSeal) -> FrameSeal {
        let head = BlockHead {
            codec: 0,
            key_id: seal.key_id,
            raw_len: 1,
            node: NodeId(3),
            offset: 0,
            seq: Sequence(0),
            frames: [].into_iter().collect(),
        };
        head.frame_seal(ObjectId(0), 0, 0)
    }
}

impl FrameSealer for Careless {
    fn key_id(&self) -> KeyId {
        self.0.key_id()
    }

    fn demand(&self, key_id: KeyId) -> Result<(), SealError> {
        self.0.demand(key_id)
    }

    fn seal(&self, seal: &FrameSeal, nonce: [u8; 12], content: &[Bytes]) -> Result<Bytes, SealError> {
        self.0.seal(&Careless::unbound(seal), nonce, content)
    }

    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError> {
        self.0.open(&Careless::unbound(seal), stored)
    }
}

/// Tries to open frames that were moved, and heads that were forged. Returns those that a sealer opens: it should open
/// none.
fn opens_what_was_moved(sealer: &dyn FrameSealer) -> Vec<&'static str> {
    let raw = payload(2 * FRAME_BYTES as usize);
    let bytes = sealed(sealer, PLACE, &raw);
    let (head, frame) = (head_len(raw.len() as u32) as usize, (FRAME_BYTES + SEAL_BYTES) as usize);
    let mut swapped = bytes.clone();
    let (first, second) = swapped[head..].split_at_mut(frame);
    first.swap_with_slice(second);
    let mut of_another_file = bytes.clone();
    of_another_file[16] ^= 1;
    let mut older = bytes.clone();
    older[32] ^= 1;
    let tried = [
        ("another frame", PLACE, &swapped),
        ("another block", (PLACE.0, 80), &bytes),
        ("another object", (ObjectId(1), PLACE.1), &bytes),
        ("another file", PLACE, &of_another_file),
        ("another record", PLACE, &older),
    ];
    tried.into_iter().filter(|(_, place, bytes)| opened(sealer, *place, bytes).is_ok()).map(|(what, ..)| what).collect()
}

#[test]
fn what_was_moved_or_forged_does_not_open() {
    assert_eq!(opens_what_was_moved(&sealer(&line(7, 0x11))), [""; 0]);
}

#[test]
fn frames_that_are_bound_to_nothing_are_noticed() {
    let opens = opens_what_was_moved(&Careless(sealer(&line(7, 0x11))));
    assert_eq!(opens, ["another frame", "another block", "another object", "another file", "another record"]);
}

#[test]
fn only_the_key_opens_and_an_unknown_one_is_named() {
    let raw = payload(100_000);
    let bytes = sealed(&sealer(&line(7, 0x11)), PLACE, &raw);
    assert_eq!(opened(&sealer(&(line(7, 0x11) + &line(8, 0x22))), PLACE, &bytes).unwrap(), raw);
    assert_eq!(opened(&sealer(&line(8, 0x11)), PLACE, &bytes).unwrap(), raw, "its number says nothing any more");
    let unknown = opened(&sealer(&line(7, 0x12)), PLACE, &bytes).unwrap_err();
    assert!(matches!(unknown, SealError::Unknown { key_id, .. } if key_id == id(0x11)), "another key: {unknown}");
    let none = Sealer::none();
    assert_eq!((none.key_id(), none.demand(KeyId::NONE)), (KeyId::NONE, Ok(())));
    let expected = format!("key {} is not known: name the key file", id(7));
    assert!(none.demand(id(7)).unwrap_err().to_string().contains(&expected));
}

/// Data that older releases sealed name their key by a number, which two keys may have had.
#[test]
fn what_a_number_names_opens_with_any_key_that_had_the_number() {
    let raw = payload(100_000);
    let number = KeyId::of_number(7);
    let bytes = sealed_as(number, &sealer(&line(7, 0x11)), PLACE, &raw);
    let others = sealed_as(number, &sealer(&line(7, 0x12)), PLACE, &raw);
    let wrong = opened(&sealer(&line(7, 0x12)), PLACE, &bytes).unwrap_err();
    assert!(matches!(wrong, SealError::Wrong { key_id, .. } if key_id == number), "{wrong}");
    let unknown = opened(&sealer(&line(8, 0x11)), PLACE, &bytes).unwrap_err();
    assert!(matches!(unknown, SealError::Unknown { key_id, .. } if key_id == number), "{unknown}");
    for both in [line(7, 0x11) + &line(7, 0x12), line(7, 0x12) + &line(3, 0x55) + &line(7, 0x11)] {
        let both = sealer(&both);
        assert_eq!(
            (opened(&both, PLACE, &bytes).unwrap(), opened(&both, PLACE, &others).unwrap()),
            (raw.clone(), raw.clone())
        );
    }
}

#[test]
fn a_fingerprint_is_the_keys_own_and_tells_nothing_of_it() {
    let ids: std::collections::BTreeSet<KeyId> = (0..=255).map(id).collect();
    assert_eq!(ids.len(), 256);
    assert!(ids.iter().all(|id| id.is_fingerprint()));
    // As released: what is sealed names it for ever.
    assert_eq!(id(0x11).to_string(), "e3a55f274e6a8f16");
}

#[test]
fn nothing_of_the_content_and_of_the_key_shows() {
    let raw = vec![b'A'; FRAME_BYTES as usize * 2];
    let sealer = sealer(&line(7, 0x11));
    let bytes = sealed(&sealer, PLACE, &raw);
    let head = head_len(raw.len() as u32) as usize;
    assert!(!bytes[head..].windows(3).any(|run| run == b"AAA"));
    let (first, second) = bytes[head..].split_at(bytes[head..].len() / 2);
    assert_ne!(first[12..], second[12..], "equal frames are sealed differently");
}

#[test]
fn what_is_too_short_to_be_sealed_is_refused() {
    let sealer = sealer(&line(7, 0x11));
    let head = BlockHead::parse_in(&sealed(&sealer, PLACE, b"x"), PLACE.0, PLACE.1).unwrap();
    for len in 0..=SEAL_BYTES as usize {
        let seal = head.frame_seal(PLACE.0, PLACE.1, 0);
        assert_eq!(sealer.open(&seal, &vec![0; len]), Err(SealError::Damaged), "{len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    /// Nonce, text or tag: the seals alone find every one, without a checksum.
    #[test]
    fn every_flipped_bit_is_refused(
        len in prop_oneof![1usize..100, Just(40_000)],
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let sealer = sealer(&line(7, 0x11));
        let raw = payload(len);
        let mut bytes = sealed(&sealer, PLACE, &raw);
        prop_assert_eq!(opened(&sealer, PLACE, &bytes).unwrap(), raw);
        let head = head_len(len as u32) as usize;
        let at = head + at.index(bytes.len() - head);
        bytes[at] ^= 1u8 << bit;
        prop_assert_eq!(opened(&sealer, PLACE, &bytes), Err(SealError::Damaged));
    }
}
