//! Blocks with compressed frames. The codec of these tests is not zstd: runs of one byte become (byte, count).

use std::ops::Range;

use super::*;

fn encode(frame: &[u8]) -> Option<Bytes> {
    let mut out = Vec::new();
    for run in frame.chunk_by(|a, b| a == b) {
        out.push(run[0]);
        out.extend_from_slice(&(run.len() as u32).to_le_bytes());
    }
    Some(Bytes::from(out))
}

fn decode(stored: &[u8], raw_len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw_len);
    for run in stored.chunks(5) {
        let len = u32::from_le_bytes(run[1..].try_into().unwrap());
        out.extend(std::iter::repeat_n(run[0], len as usize));
    }
    assert_eq!(out.len(), raw_len);
    out
}

fn built(payload: &[Bytes]) -> BuiltBlock {
    build_encoded(SPEC, payload, FrameEncoder { codec: CODEC_ZSTD, encode: &mut encode }).unwrap()
}

/// A range as a reader gets it: verified, then decoded.
fn read(block: &[u8], range: Range<u32>) -> Result<Vec<u8>, BlockError> {
    let head = BlockHead::parse(block)?;
    let run = head.frames_of(range.clone()).expect("the range is in the block");
    let mut raw = Vec::new();
    for frame in head.stored_frames(&run) {
        let stored = &block[frame.stored.start as usize..frame.stored.end as usize];
        head.verify(frame.index, stored)?;
        match frame.codec {
            CODEC_NONE => raw.extend_from_slice(stored),
            _ => raw.extend(decode(stored, frame.raw_len as usize)),
        }
    }
    Ok(raw[run.skip as usize..][..range.len()].to_vec())
}

/// Frames by what they are: `true` shrinks.
fn mixed(kinds: &[bool], tail: usize) -> Vec<u8> {
    let mut raw = Vec::new();
    for (index, shrinks) in kinds.iter().enumerate() {
        let noise = |i: usize| (i.wrapping_mul(0x9E37_79B1) >> 7) as u8;
        raw.extend((0..FRAME_BYTES as usize).map(|i| if *shrinks { index as u8 } else { noise(i + index) }));
    }
    raw.truncate(raw.len() - tail);
    raw
}

#[test]
fn each_frame_is_stored_in_the_way_that_its_length_says() {
    let raw = mixed(&[true, false, true], 1_000);
    let block = built(&pieces(&raw, 50_000));
    let head = &block.head;
    assert_eq!(head.codec, CODEC_ZSTD);
    assert_eq!(block.place(0).codec, CODEC_ZSTD);
    let run = head.frames_of(0..head.raw_len).unwrap();
    let frames: Vec<_> =
        head.stored_frames(&run).map(|frame| (frame.codec, frame.raw_len, frame.stored_len())).collect();
    let last = FRAME_BYTES - 1_000;
    assert_eq!(frames, [(1, FRAME_BYTES, 5), (0, FRAME_BYTES, FRAME_BYTES as usize), (1, last, 5)]);
    assert_eq!(flat(&block).len(), head.stored_len() as usize);
    assert_eq!(read(&flat(&block), 0..head.raw_len).unwrap(), raw);
}

#[test]
fn a_block_in_which_nothing_shrinks_is_one_without_a_codec_and_is_not_copied() {
    let payload = [Bytes::from(mixed(&[false; 3], 0)), Bytes::from_static(b"tail")];
    let block = built(&payload);
    let plain = build(SPEC, &payload).unwrap();
    assert_eq!(block.head, plain.head);
    assert_eq!(block.segments, plain.segments);
    assert_eq!(block.segments[1].as_ptr(), payload[0].as_ptr());
}

#[rstest]
#[case::an_eighth(4_096, true)]
#[case::almost_an_eighth(4_095, false)]
fn a_frame_is_compressed_only_if_that_saves_an_eighth(#[case] saved: usize, #[case] compressed: bool) {
    let mut encode = |frame: &[u8]| Some(Bytes::from(vec![1; frame.len() - saved]));
    let encoder = FrameEncoder { codec: CODEC_ZSTD, encode: &mut encode };
    let block = build_encoded(SPEC, &[Bytes::from(vec![7; FRAME_BYTES as usize])], encoder).unwrap();
    assert_eq!(block.head.codec == CODEC_ZSTD, compressed);
}

#[rstest]
#[case::of_noise(0..0, &[0, 1, 9, 17, 25])]
#[case::until_one_shrinks(9..10, &[0, 1, 9, 10, 11, 19, 27])]
#[case::all_that_shrink(0..32, &(0..32).collect::<Vec<_>>())]
fn what_does_not_shrink_is_seldom_tried(#[case] shrink: Range<usize>, #[case] tried: &[usize]) {
    let kinds: Vec<bool> = (0..32).map(|index| shrink.contains(&index)).collect();
    let raw = Bytes::from(mixed(&kinds, 0));
    let mut seen = Vec::new();
    let mut encode = |frame: &[u8]| {
        seen.push((frame.as_ptr() as usize - raw.as_ptr() as usize) / FRAME_BYTES as usize);
        encode(frame)
    };
    let encoder = FrameEncoder { codec: CODEC_ZSTD, encode: &mut encode };
    build_encoded(SPEC, std::slice::from_ref(&raw), encoder).unwrap();
    assert_eq!(seen, tried);
}

#[test]
fn a_codec_that_no_reader_knows_is_not_written() {
    let encoder = FrameEncoder { codec: 2, encode: &mut encode };
    let answer = build_encoded(SPEC, &[Bytes::from_static(b"x")], encoder);
    assert_eq!(answer.unwrap_err(), BlockError::Codec(2));
}

#[test]
fn the_format_of_compressed_frames_does_not_change() {
    let bytes = flat(&built(&[Bytes::from(vec![0x61; 100])]));
    assert_eq!(bytes[4..8], [2, 0, CODEC_ZSTD, 0]);
    assert_eq!(bytes[12..16], 100_u32.to_le_bytes());
    assert_eq!(bytes[48..52], 5_u32.to_le_bytes());
    assert_eq!(bytes[52..60], checksum(&[0x61, 100, 0, 0, 0]).to_le_bytes());
    assert_eq!(bytes[68..], [0x61, 100, 0, 0, 0]);
}

#[rstest]
#[case::nothing(0)]
#[case::more_than_its_content(101)]
fn a_stored_length_that_cannot_be_is_refused(#[case] stored_len: u32) {
    let mut bytes = flat(&built(&[Bytes::from(vec![0x61; 100])]));
    bytes[48..52].copy_from_slice(&stored_len.to_le_bytes());
    assert_eq!(BlockHead::parse(&resealed(bytes)), Err(BlockError::Frame(0)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn any_mix_of_frames_reads_back_at_any_range(
        kinds in prop::collection::vec(any::<bool>(), 1..7),
        tail in 0..FRAME_BYTES as usize,
        step in 1_000usize..400_000,
        from in any::<prop::sample::Index>(),
        len in any::<prop::sample::Index>(),
    ) {
        let raw = mixed(&kinds, tail);
        let block = built(&pieces(&raw, step));
        let from = from.index(raw.len());
        let to = from + 1 + len.index(raw.len() - from);
        let got = read(&flat(&block), from as u32..to as u32).unwrap();
        prop_assert!(got == raw[from..to]);
    }

    #[test]
    fn damage_anywhere_is_found_and_never_decoded(
        kinds in prop::collection::vec(any::<bool>(), 1..4),
        at in any::<prop::sample::Index>(),
        in_head in any::<bool>(),
        flip in 1u8..,
    ) {
        let raw = mixed(&kinds, 0);
        let mut bytes = flat(&built(&pieces(&raw, 100_000)));
        let at = at.index(if in_head { head_len(raw.len() as u32) as usize } else { bytes.len() });
        bytes[at] ^= flip;
        prop_assert!(read(&bytes, 0..raw.len() as u32).is_err());
    }
}
