//! Blocks with sealed frames. The cipher of these tests keeps no secret, but its tag covers what a real one's does.

use super::*;
use crate::{
    content::object::{ObjectBuilder, next_block, scan},
    id::{Epoch, KeyId, ShareId},
};

const OBJECT: ObjectId = ObjectId(0xfeed);
const KEY: KeyId = KeyId::of_fingerprint(0x0123_4567_89ab_cdef);
const NUMBERED: KeyId = KeyId::of_number(7);

fn tag(bound: &[u8], nonce_and_text: &[u8]) -> [u8; 16] {
    let sum = checksum(&[bound, nonce_and_text].concat()).to_le_bytes();
    [sum, sum].concat().try_into().unwrap()
}

fn seal_with(bound: &[u8], content: &[Bytes]) -> Bytes {
    let mut out = vec![0xab; NONCE_BYTES as usize];
    out.extend(content.concat().iter().map(|byte| byte ^ 0x5a));
    let tag = tag(bound, &out);
    out.extend_from_slice(&tag);
    out.into()
}

fn open_with(bound: &[u8], stored: &[u8]) -> Option<Vec<u8>> {
    let (sealed, found) = stored.split_at_checked(stored.len().checked_sub(TAG_BYTES as usize)?)?;
    let text = sealed.get(NONCE_BYTES as usize..)?;
    (tag(bound, sealed) == found).then(|| text.iter().map(|byte| byte ^ 0x5a).collect())
}

/// Runs of one byte become that byte and their length: a codec that needs no library.
fn encode(frame: &[u8]) -> Option<Bytes> {
    let runs = frame.chunk_by(|a, b| a == b);
    Some(runs.flat_map(|run| [&[run[0]][..], &(run.len() as u32).to_le_bytes()].concat()).collect())
}

fn decode(stored: &[u8]) -> Vec<u8> {
    let runs = stored.chunks(5).map(|run| (run[0], u32::from_le_bytes(run[1..].try_into().unwrap())));
    runs.flat_map(|(byte, len)| std::iter::repeat_n(byte, len as usize)).collect()
}

/// Frames where every second one shrinks.
fn mixed(len: usize) -> Vec<u8> {
    let noise = |at: usize| (at.wrapping_mul(0x9E37_79B1) >> 9) as u8;
    (0..len).map(|at| if (at / FRAME_BYTES as usize).is_multiple_of(2) { 3 } else { noise(at) }).collect()
}

fn sealed_at(at: (ObjectId, u64), codec: u8, raw: &[u8]) -> BuiltBlock {
    sealed_with(KEY, at, codec, raw)
}

fn sealed_with(key_id: KeyId, at: (ObjectId, u64), codec: u8, raw: &[u8]) -> BuiltBlock {
    let mut seal = |seal: &FrameSeal, content: &[Bytes]| Some(seal_with(seal.associated_data(), content));
    let sealing = FrameSealing { key_id, seal: &mut seal };
    build_sealed(SPEC, &pieces(raw, 50_000), FrameEncoder { codec, encode: &mut encode }, at, sealing).unwrap()
}

/// A block in its object, as a store has it.
fn stored(at: u64, codec: u8, raw: &[u8]) -> Vec<u8> {
    let built = sealed_at((OBJECT, at), codec, raw);
    let mut bytes = built.head.encode_in(OBJECT, at);
    built.segments.iter().skip(1).for_each(|frame| bytes.extend_from_slice(frame));
    bytes
}

fn read(bytes: &[u8], object: ObjectId, at: u64) -> Result<Vec<u8>, BlockError> {
    let head = BlockHead::parse_in(bytes, object, at)?;
    let run = head.frames_of(0..head.raw_len).unwrap();
    let mut raw = Vec::new();
    for frame in head.stored_frames(&run) {
        let stored = bytes.get(frame.stored.start as usize..frame.stored.end as usize);
        let stored = stored.ok_or(BlockError::Frame(frame.index))?;
        head.verify(frame.index, stored)?;
        let seal = head.frame_seal(object, at, frame.index);
        let opened = open_with(seal.associated_data(), stored).ok_or(BlockError::Seal(frame.index))?;
        raw.extend(if frame.codec == CODEC_NONE { opened } else { decode(&opened) });
    }
    Ok(raw)
}

/// All checksums made right again, as who alters an object on purpose would.
fn resummed(mut bytes: Vec<u8>, object: ObjectId, at: u64) -> Option<Vec<u8>> {
    let raw_len = u32::from_le_bytes(bytes[12..16].try_into().unwrap());
    let head = if is_raw_len(raw_len) { head_len(raw_len) as usize } else { return None };
    let mut start = head;
    for entry in (FIXED_LEN..head - CHECKSUM_LEN).step_by(FRAME_ENTRY_LEN) {
        let len = u32::from_le_bytes(bytes.get(entry..entry + 4)?.try_into().unwrap()) as usize;
        let sum = checksum(bytes.get(start..start.checked_add(len)?)?);
        bytes[entry + 4..entry + 12].copy_from_slice(&sum.to_le_bytes());
        start += len;
    }
    let place = [&object.0.to_le_bytes()[..], &at.to_le_bytes()].concat();
    let sum = checksum(&bytes[..head - CHECKSUM_LEN]) ^ checksum(&place);
    bytes[head - CHECKSUM_LEN..head].copy_from_slice(&sum.to_le_bytes());
    Some(bytes)
}

#[rstest]
fn sealed_blocks_read_back(#[values(CODEC_NONE, CODEC_ZSTD)] codec: u8, #[values(1, 32_768, 100_001)] len: usize) {
    let raw = mixed(len);
    let block = sealed_at((OBJECT, 64), codec, &raw);
    let place = block.place(64);
    assert_eq!((place.key_id, block.head.key_id), (KEY, KEY));
    assert_eq!(flat(&block).len(), place.stored_len as usize);
    let run = block.head.frames_of(0..block.head.raw_len).unwrap();
    for frame in block.head.stored_frames(&run) {
        let is_left = frame.stored_len() as u32 == frame.raw_len + SEAL_BYTES;
        assert_eq!(is_left, frame.codec == CODEC_NONE, "the length alone says so");
        assert_eq!(is_left, codec == CODEC_NONE || frame.index % 2 == 1 || len < 16);
    }
    assert_eq!(read(&stored(64, codec, &raw), OBJECT, 64).unwrap(), raw);
}

#[rstest]
#[case::of_a_number(NUMBERED, 2, "07000000", "00000000")]
#[case::of_a_fingerprint(KEY, 3, "efcdab89", "67452381")]
fn a_head_names_the_key_and_older_heads_are_read(
    #[case] key_id: KeyId,
    #[case] version: u8,
    #[case] low: &str,
    #[case] high: &str,
) {
    let head = sealed_with(key_id, (OBJECT, 64), CODEC_NONE, b"hello").head;
    let bytes = head.encode_in(OBJECT, 64);
    let hex = |range: std::ops::Range<usize>| bytes[range].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((bytes[4], hex(8..12).as_str(), hex(44..48).as_str()), (version, low, high));
    assert_eq!(BlockHead::parse_in(&bytes, OBJECT, 64), Ok(head));
}

#[test]
fn an_object_of_sealed_and_other_blocks_is_read_without_metadata() {
    let raw = mixed(70_000);
    let mut builder = ObjectBuilder::new(OBJECT, ShareId(1), Epoch(2));
    let plain = builder.push(build(SPEC, &[Bytes::from_static(b"hello")]).unwrap());
    let mut seal = |seal: &FrameSeal, content: &[Bytes]| Some(seal_with(seal.associated_data(), content));
    let encoder = FrameEncoder { codec: CODEC_ZSTD, encode: &mut encode };
    let sealing = FrameSealing { key_id: KEY, seal: &mut seal };
    let place = builder.push_sealed(SPEC, &pieces(&raw, 9_000), encoder, sealing).unwrap();
    assert_eq!(place.at, next_block(plain.at + u64::from(plain.stored_len)));
    let bytes = builder.finish().concat();
    let (_, blocks) = scan(&bytes).unwrap();
    assert_eq!(blocks.iter().map(|(_, head)| head.key_id).collect::<Vec<_>>(), [KeyId::NONE, KEY]);
    assert_eq!(blocks[1].1.check_place(&place), Ok(()));
    assert_eq!(read(&bytes[place.at as usize..], OBJECT, place.at).unwrap(), raw);
}

#[test]
fn a_frame_that_was_moved_does_not_open() {
    let raw = mixed(4 * FRAME_BYTES as usize);
    let bytes = stored(64, CODEC_NONE, &raw);
    let (head, frame) = (head_len(raw.len() as u32) as usize, (FRAME_BYTES + SEAL_BYTES) as usize);
    let mut swapped = bytes.clone();
    let (first, second) = swapped[head..head + 2 * frame].split_at_mut(frame);
    first.swap_with_slice(second);
    let swapped = resummed(swapped, OBJECT, 64).unwrap();
    assert_eq!(read(&swapped, OBJECT, 64), Err(BlockError::Seal(0)), "another frame");
    let moved = resummed(bytes.clone(), OBJECT, 80).unwrap();
    assert_eq!(read(&moved, OBJECT, 80), Err(BlockError::Seal(0)), "another block");
    let moved = resummed(bytes, ObjectId(8), 64).unwrap();
    assert_eq!(read(&moved, ObjectId(8), 64), Err(BlockError::Seal(0)), "another object");
}

/// The fields of a head that are no lengths or checksums.
#[rstest]
#[case::codec(6, 1)]
#[case::key(8, 8)]
#[case::high_half_of_the_key(44, 1)]
#[case::node(16, 10)]
#[case::offset(24, 7)]
#[case::seq(32, 1)]
fn a_forged_head_opens_no_frame(#[case] at: usize, #[case] value: u8) {
    let mut bytes = stored(64, CODEC_NONE, &mixed(50_000));
    assert_ne!(bytes[at], value);
    bytes[at] = value;
    assert_eq!(read(&resummed(bytes, OBJECT, 64).unwrap(), OBJECT, 64), Err(BlockError::Seal(0)));
}

#[test]
fn a_block_that_lost_its_end_opens_no_frame() {
    let bytes = stored(64, CODEC_NONE, &mixed(FRAME_BYTES as usize * 2));
    let shorter = FRAME_BYTES;
    let mut cut = bytes[..FIXED_LEN + FRAME_ENTRY_LEN].to_vec();
    cut[12..16].copy_from_slice(&shorter.to_le_bytes());
    cut[40..44].copy_from_slice(&1u32.to_le_bytes());
    cut.extend_from_slice(&[0; CHECKSUM_LEN]);
    let from = head_len(2 * FRAME_BYTES) as usize;
    cut.extend_from_slice(&bytes[from..from + (FRAME_BYTES + SEAL_BYTES) as usize]);
    assert_eq!(read(&resummed(cut, OBJECT, 64).unwrap(), OBJECT, 64), Err(BlockError::Seal(0)));
}

#[test]
fn what_no_reader_could_open_is_not_built() {
    let build = |key_id, seal: &mut dyn FnMut(&FrameSeal, &[Bytes]) -> Option<Bytes>| {
        let encoder = FrameEncoder { codec: CODEC_NONE, encode: &mut encode };
        build_sealed(SPEC, &[Bytes::from_static(b"hello")], encoder, (OBJECT, 64), FrameSealing { key_id, seal })
    };
    let error = |built: Result<BuiltBlock, BlockError>| built.unwrap_err();
    assert_eq!(error(build(KeyId::NONE, &mut |_, _| None)), BlockError::Field("key"));
    assert_eq!(
        error(build(KeyId(1 << 40), &mut |_, _| None)),
        BlockError::Field("key"),
        "neither number nor fingerprint"
    );
    assert_eq!(error(build(KEY, &mut |_, _| None)), BlockError::Key(KEY));
    let plain = Bytes::from_static(b"hello");
    assert_eq!(error(build(KEY, &mut |_, _| Some(plain.clone()))), BlockError::Field("sealed length"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// Whether the checksums are made right again or not, nothing but what was written is ever read.
    #[test]
    fn every_flipped_bit_is_refused(
        codec in prop_oneof![Just(CODEC_NONE), Just(CODEC_ZSTD)],
        len in prop_oneof![1usize..200, Just(70_000)],
        at in any::<prop::sample::Index>(),
        bit in 0..8,
        resum in any::<bool>(),
    ) {
        let raw = mixed(len);
        let mut bytes = stored(64, codec, &raw);
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let bytes = if resum { resummed(bytes, OBJECT, 64) } else { Some(bytes) };
        if let Some(bytes) = bytes {
            let head = FIXED_LEN..head_len(len as u32) as usize;
            // Only a checksum that was flipped and put right again may be.
            if let Ok(read) = read(&bytes, OBJECT, 64) {
                prop_assert!(resum && head.contains(&at) && read == raw);
            }
        }
    }
}
