use bytes::{Bytes, BytesMut};
use dittofs_domain::{
    NodeId, Sequence,
    content::block::{BlockError, BlockHead, BlockSpec, FrameEncoder, build_encoded},
};
use proptest::prelude::*;

use super::*;

const FRAME: usize = FRAME_BYTES as usize;
const SPEC: BlockSpec = BlockSpec { node: NodeId(9), offset: 0, seq: Sequence(7) };

fn zstd(level: u8) -> Codec {
    Codec::new(&CompressionOptions { method: CompressionMethod::Zstd, level })
}

fn text(len: usize) -> Vec<u8> {
    (0..)
        .flat_map(|line: u32| format!("line {line} of a log that says much the same\n").into_bytes())
        .take(len)
        .collect()
}

fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// A block as it is in an object.
fn block(codec: &Codec, raw: &[u8]) -> Vec<u8> {
    let encoder = FrameEncoder { codec: codec.id(), encode: &mut |frame| codec.encode(frame) };
    let pieces: Vec<Bytes> = raw.chunks(50_000).map(Bytes::copy_from_slice).collect();
    let built = build_encoded(SPEC, &pieces, encoder).unwrap();
    built
        .segments
        .iter()
        .fold(BytesMut::new(), |mut all, piece| {
            all.extend_from_slice(piece);
            all
        })
        .to_vec()
}

/// All of a block, verified frame by frame and then decoded.
fn read(codec: &Codec, block: &[u8]) -> Result<Vec<u8>, BlockError> {
    let head = BlockHead::parse(block)?;
    let run = head.frames_of(0..head.raw_len).unwrap();
    let mut raw = Vec::new();
    for frame in head.stored_frames(&run) {
        let stored = &block[frame.stored.start as usize..frame.stored.end as usize];
        head.verify(frame.index, stored)?;
        raw.extend_from_slice(&codec.decode(frame.codec, stored, frame.raw_len as usize).unwrap());
    }
    Ok(raw)
}

#[test]
fn text_shrinks_at_every_level_and_reads_back_with_any_codec() {
    let raw = text(3 * FRAME + 77);
    for level in 1..=3 {
        let bytes = block(&zstd(level), &raw);
        assert!(bytes.len() < raw.len() / 4, "{} bytes", bytes.len());
        assert_eq!(read(&Codec::none(), &bytes).unwrap(), raw);
    }
    let plain = block(&Codec::none(), &raw);
    assert!(plain.len() > raw.len());
    assert_eq!(read(&zstd(1), &plain).unwrap(), raw);
}

#[test]
fn what_does_not_save_an_eighth_is_left_as_it_is() {
    let codec = zstd(3);
    assert_eq!(codec.encode(&noise(FRAME, 1)), None);
    let mut barely = noise(FRAME, 2);
    barely[..FRAME / 10].fill(0);
    assert_eq!(codec.encode(&barely), None);
    let mut worth = noise(FRAME, 3);
    worth[..FRAME / 6].fill(0);
    let len = codec.encode(&worth).unwrap().len();
    assert!(len <= FRAME - FRAME / 8, "{len}");
    for tiny in [&b""[..], b"x", b"xx"] {
        assert_eq!(codec.encode(tiny), None);
    }
}

#[test]
fn a_frame_of_another_length_or_codec_is_refused() {
    let codec = zstd(1);
    let raw = text(10_000);
    let stored = codec.encode(&raw).unwrap();
    assert_eq!(codec.decode(CODEC_ZSTD, &stored, raw.len()).unwrap(), raw);
    for wrong in [0, 1, 9_999, 10_001, FRAME] {
        assert_eq!(codec.decode(CODEC_ZSTD, &stored, wrong), Err(CodecError::Damaged), "{wrong}");
    }
    assert_eq!(codec.decode(CODEC_ZSTD, &stored[..stored.len() - 1], raw.len()), Err(CodecError::Damaged));
    assert_eq!(codec.decode(CODEC_NONE, &stored, raw.len()), Err(CodecError::Damaged));
    assert_eq!(codec.decode(7, &stored, raw.len()), Err(CodecError::Unknown(7)));
}

#[test]
fn a_bomb_takes_no_more_memory_than_a_frame() {
    // 64 MiB of zeros in one frame of zstd.
    let bomb = ::zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let codec = zstd(1);
    assert_eq!(codec.decode(CODEC_ZSTD, &bomb, FRAME), Err(CodecError::Damaged));
    assert_eq!(codec.decode(CODEC_ZSTD, &bomb, 64 << 20), Err(CodecError::Damaged));
    assert_eq!(codec.decode(CODEC_NONE, &bomb, usize::MAX), Err(CodecError::Damaged));
}

/// Payload that shrinks here and there.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let run = (any::<bool>(), 1usize..200_000, any::<u64>());
    prop::collection::vec(run, 1..5).prop_map(|runs| {
        runs.into_iter().flat_map(|(shrinks, len, seed)| if shrinks { text(len) } else { noise(len, seed) }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn any_payload_reads_back(raw in payload(), level in 1u8..=3) {
        let codec = zstd(level);
        let bytes = block(&codec, &raw);
        prop_assert!(read(&codec, &bytes).unwrap() == raw);
    }

    #[test]
    fn damage_is_reported_before_anything_is_decoded(
        raw in payload(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let codec = zstd(1);
        let mut bytes = block(&codec, &raw);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(read(&codec, &bytes).is_err());
    }

    #[test]
    fn bytes_that_no_encoder_made_never_panic_or_exceed_the_length(
        stored in prop::collection::vec(any::<u8>(), 0..300),
        keep in 0usize..40,
        raw_len in 0usize..300_000,
    ) {
        let codec = zstd(1);
        let mut mutated = codec.encode(&text(20_000)).unwrap().to_vec();
        mutated.truncate(keep);
        mutated.extend_from_slice(&stored);
        for bytes in [stored, mutated] {
            if let Ok(raw) = codec.decode(CODEC_ZSTD, &bytes, raw_len) {
                prop_assert_eq!(raw.len(), raw_len);
            }
        }
    }
}
