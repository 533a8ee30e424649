mod encoded;
mod sealed;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::content::checksum;
use crate::id::{KeyId, NodeId, ObjectId, Sequence};

const SPEC: BlockSpec = BlockSpec { node: NodeId(9), offset: 4_096, seq: Sequence(77) };

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

/// Cut into pieces of uneven lengths, so that frames span pieces.
fn pieces(bytes: &[u8], step: usize) -> Vec<Bytes> {
    let mut out = vec![Bytes::new()];
    out.extend(bytes.chunks(step.max(1)).map(Bytes::copy_from_slice));
    out
}

fn flat(block: &BuiltBlock) -> Vec<u8> {
    block
        .segments
        .iter()
        .fold(BytesMut::new(), |mut all, piece| {
            all.extend_from_slice(piece);
            all
        })
        .to_vec()
}

/// The head's own checksum made right again after a mutation.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let raw_len = u32::from_le_bytes(bytes[12..16].try_into().unwrap());
    let len = if is_raw_len(raw_len) { head_len(raw_len) as usize - CHECKSUM_LEN } else { return bytes };
    if len + CHECKSUM_LEN <= bytes.len() {
        let sum = checksum(&bytes[..len]);
        bytes[len..len + CHECKSUM_LEN].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

#[rstest]
#[case::one_byte(1, 1)]
#[case::one_frame(32_768, 32_768)]
#[case::one_more(32_769, 1_000)]
#[case::several(1_000_000, 70_001)]
#[case::full(4 << 20, 1 << 20)]
fn what_is_built_is_read_back_and_every_frame_verifies(#[case] len: usize, #[case] step: usize) {
    let raw = payload(len);
    let block = build(SPEC, &pieces(&raw, step)).unwrap();
    let bytes = flat(&block);
    let place = block.place(64);
    assert_eq!(place.stored_len as usize, bytes.len());
    let head = BlockHead::parse(&bytes).unwrap();
    assert_eq!(head, block.head);
    assert_eq!(head.check_place(&place), Ok(()));
    assert_eq!((head.node, head.offset, head.seq), (SPEC.node, SPEC.offset, SPEC.seq));
    for index in 0..frame_count(place.raw_len) {
        let start = index * FRAME_BYTES;
        let run = head.frames_of(start..start + 1).unwrap();
        let stored = &bytes[run.stored.start as usize..run.stored.end as usize];
        assert_eq!(head.verify(index, stored), Ok(()));
        let mut bad = stored.to_vec();
        bad[stored.len() / 2] ^= 1;
        assert_eq!(head.verify(index, &bad), Err(BlockError::Frame(index)));
        assert_eq!(head.verify(index, &stored[1..]), Err(BlockError::Frame(index)));
    }
    assert_eq!(head.verify(128, &[]), Err(BlockError::Frame(128)));
}

#[test]
fn the_format_of_version_2_does_not_change() {
    let block = build(SPEC, &[Bytes::from_static(b"hello")]).unwrap();
    let hex: String = flat(&block).iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = [
        "4446424b0200000000000000",
        "05000000",
        "0900000000000000",
        "0010000000000000",
        "4d00000000000000",
        "0100000000000000",
        "05000000",
    ];
    assert!(hex.starts_with(&fields.concat()), "{hex}");
    assert!(hex.ends_with("68656c6c6f"));
    assert_eq!(checksum(b"hello"), block.head.frames[0].checksum);
}

#[test]
fn payload_is_not_copied() {
    let pieces = [Bytes::from(payload(200_000)), Bytes::from(payload(10))];
    let block = build(SPEC, &pieces).unwrap();
    assert_eq!(block.segments.len(), 3);
    assert_eq!(block.segments[1].as_ptr(), pieces[0].as_ptr());
    assert_eq!(block.segments[2].as_ptr(), pieces[1].as_ptr());
}

#[rstest]
#[case::start(0..1, 0..1, 0)]
#[case::second(32_768..32_769, 1..2, 0)]
#[case::across(32_767..32_769, 0..2, 32_767)]
#[case::tail(65_536..75_000, 2..3, 0)]
#[case::all(0..75_000, 0..3, 0)]
fn a_range_is_found_in_its_frames(
    #[case] range: std::ops::Range<u32>,
    #[case] frames: std::ops::Range<u32>,
    #[case] skip: u32,
) {
    let raw = payload(75_000);
    let block = build(SPEC, &pieces(&raw, 12_500)).unwrap();
    let run = block.head.frames_of(range.clone()).unwrap();
    assert_eq!((run.frames.clone(), run.skip), (frames, skip));
    let stored = &flat(&block)[run.stored.start as usize..run.stored.end as usize];
    let start = run.skip as usize;
    assert_eq!(stored[start..start + range.len()], raw[range.start as usize..range.end as usize]);
    assert_eq!(block.head.frames_of(0..0), None);
    assert_eq!(block.head.frames_of(74_999..75_001), None);
}

#[rstest]
#[case::empty(0, 0)]
#[case::too_long((4 << 20) + 1, 0)]
#[case::behind_the_greatest_file(2, u64::MAX >> 1)]
fn a_block_that_cannot_be_is_refused(#[case] len: usize, #[case] offset: u64) {
    let spec = BlockSpec { offset, ..SPEC };
    assert!(matches!(build(spec, &[Bytes::from(vec![0; len])]), Err(BlockError::Field(_))));
}

#[rstest]
#[case::magic(0, b'X', BlockError::Magic)]
#[case::version(4, 4, BlockError::Version(4))]
#[case::version_without_fingerprint(4, 3, BlockError::Field("key"))]
#[case::codec(6, 2, BlockError::Codec(2))]
#[case::reserved(7, 1, BlockError::Field("reserved bytes"))]
#[case::key(8, 3, BlockError::Frame(0))]
#[case::raw_len(15, 1, BlockError::Field("raw length"))]
#[case::node(16, 0, BlockError::Field("file or offset"))]
#[case::offset(31, 0xff, BlockError::Field("file or offset"))]
#[case::count(40, 2, BlockError::Field("number of frames"))]
#[case::zero(44, 2, BlockError::Field("reserved bytes"))]
#[case::stored_len(48, 9, BlockError::Frame(0))]
fn a_head_that_no_writer_writes_is_refused(#[case] at: usize, #[case] value: u8, #[case] error: BlockError) {
    let mut bytes = flat(&build(SPEC, &[Bytes::from_static(b"hello")]).unwrap());
    bytes[at] = value;
    assert_eq!(BlockHead::parse(&resealed(bytes)), Err(error));
}

#[test]
fn a_block_in_the_wrong_place_is_found() {
    let block = build(SPEC, &[Bytes::from_static(b"hello")]).unwrap();
    let place = block.place(0);
    for (other, field) in [
        (BlockPlace { raw_len: 6, ..place }, "raw length"),
        (BlockPlace { codec: 1, ..place }, "codec"),
        (BlockPlace { key_id: KeyId(1), ..place }, "key"),
        (BlockPlace { stored_len: 6, ..place }, "stored length"),
    ] {
        assert_eq!(block.head.check_place(&other), Err(BlockError::Field(field)));
    }
}

#[test]
fn a_block_of_another_object_or_another_place_is_refused_though_its_lengths_are_the_same() {
    let block = build(SPEC, &[Bytes::from_static(b"hello")]).unwrap();
    let head = block.head.encode_in(ObjectId(7), 64);
    assert_eq!(BlockHead::parse_in(&head, ObjectId(7), 64), Ok(block.head));
    for (object, at) in [(8, 64), (7, 80), (7 << 64, 64)] {
        assert_eq!(BlockHead::parse_in(&head, ObjectId(object), at), Err(BlockError::HeadChecksum));
    }
    assert_eq!(BlockHead::parse(&head), Err(BlockError::HeadChecksum));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn garbage_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(BlockHead::parse(&bytes).is_err());
    }

    #[test]
    fn a_changed_or_cut_head_is_refused(
        len in prop_oneof![Just(5usize), Just(300_000)],
        at in 0usize..80,
        flip in 1u8..,
        reseal in any::<bool>(),
        cut in 0usize..200,
    ) {
        let block = build(SPEC, &[Bytes::from(payload(len))]).unwrap();
        let head = block.segments[0].to_vec();
        let at = at % head.len();
        let mut bad = head.clone();
        bad[at] ^= flip;
        if reseal {
            if let Ok(parsed) = BlockHead::parse(&resealed(bad)) {
                prop_assert!(parsed.raw_len == block.head.raw_len && parsed.stored_len() == block.head.stored_len());
            }
        } else {
            prop_assert!(BlockHead::parse(&bad).is_err());
        }
        let cut = cut % head.len();
        let is_short = matches!(BlockHead::parse(&head[..cut]), Err(BlockError::Short { .. }));
        prop_assert!(is_short);
    }
}
