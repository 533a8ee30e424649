//! Rates of compression on one thread, as JSON lines: a block of 4 MiB of text, of noise, and of both in turns.
#![allow(clippy::expect_used)]

use std::time::Instant;

use bytes::Bytes;
use dittofs_domain::{
    NodeId, Sequence,
    content::{
        BLOCK_BYTES_MAX, FRAME_BYTES,
        block::{BlockSpec, FrameEncoder, build_encoded},
    },
};
use dittofs_frame_codec::{Codec, CompressionMethod, CompressionOptions};
use dittofs_ports::FrameCodec;
use serde_json::json;

const ROUNDS: u32 = 50;

fn main() {
    let text: Vec<u8> = (0..)
        .flat_map(|line: u64| {
            format!("{line} GET /a/{:x} 200\n", line.wrapping_mul(0x9E37_79B9_7F4A_7C15)).into_bytes()
        })
        .take(BLOCK_BYTES_MAX as usize)
        .collect();
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..BLOCK_BYTES_MAX)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    let frame = FRAME_BYTES as usize;
    let both = text.chunks(frame).zip(noise.chunks(frame)).flat_map(|(a, b)| [a, b]).take(32).flatten().copied();
    let both: Vec<u8> = both.collect();
    measure("none", &Codec::none(), &text);
    for level in 1..=3 {
        let codec = Codec::new(&CompressionOptions { method: CompressionMethod::Zstd, level });
        for (what, raw) in [("text", &text), ("noise", &noise), ("both", &both)] {
            measure(&format!("zstd {level}, {what}"), &codec, raw);
        }
    }
}

fn measure(what: &str, codec: &Codec, raw: &[u8]) {
    let payload = [Bytes::copy_from_slice(raw)];
    let spec = BlockSpec { node: NodeId(9), offset: 0, seq: Sequence(1) };
    let build = || {
        let encoder = FrameEncoder { codec: codec.id(), encode: &mut |frame| codec.encode(frame) };
        build_encoded(spec, &payload, encoder).expect("a block")
    };
    let start = Instant::now();
    let mut block = build();
    for _ in 1..ROUNDS {
        block = build();
    }
    let built = start.elapsed();
    let bytes: Vec<u8> = block.segments.iter().flat_map(|segment| segment.to_vec()).collect();
    let run = block.head.frames_of(0..block.head.raw_len).expect("all of it");
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for frame in block.head.stored_frames(&run) {
            let stored = bytes.get(frame.stored.start as usize..frame.stored.end as usize).expect("a frame");
            block.head.verify(frame.index, stored).expect("it is whole");
            if frame.codec != 0 {
                codec.decode(frame.codec, stored, frame.raw_len as usize).expect("it is compressed");
            }
        }
    }
    let mib = f64::from(ROUNDS) * raw.len() as f64 / f64::from(1 << 20);
    let line = json!({
        "what": what, "stored_of_raw": (bytes.len() as f64 / raw.len() as f64 * 1e3).round() / 1e3,
        "build_mib_s": (mib / built.as_secs_f64()).round(),
        "read_mib_s": (mib / start.elapsed().as_secs_f64()).round(),
    });
    println!("{line}");
}
