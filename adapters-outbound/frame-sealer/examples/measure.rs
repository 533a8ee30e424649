//! How fast frames are sealed and opened by one thread: `cargo run --release -p dittofs-frame-sealer --example measure`.
#![allow(clippy::expect_used, reason = "an example fails by panicking")]

use std::time::Instant;

use bytes::Bytes;
use dittofs_domain::{
    NodeId, ObjectId, Sequence,
    content::block::{BlockHead, NONCE_BYTES},
};
use dittofs_frame_sealer::{Keyring, Sealer};
use dittofs_ports::FrameSealer;

const BYTES: usize = 1 << 30;

fn main() {
    let keys = Keyring::parse(format!("1 {}", "5a".repeat(32)).as_bytes()).expect("a key");
    let sealer = Sealer::with_keys(keys, true);
    let head = BlockHead {
        codec: 0,
        key_id: sealer.key_id(),
        raw_len: 1,
        node: NodeId(9),
        offset: 0,
        seq: Sequence(1),
        frames: [].into_iter().collect(),
    };
    for len in [4 << 10, 32 << 10] {
        let content = [Bytes::from(vec![0x42; len])];
        let seal = |index| head.frame_seal(ObjectId(7), 64, index);
        let rounds = (BYTES / len) as u32;
        let nonce = |index: u32| {
            let mut nonce = [0; NONCE_BYTES as usize];
            nonce[..4].copy_from_slice(&index.to_le_bytes());
            nonce
        };
        let began = Instant::now();
        let mut sealed = Bytes::new();
        for index in 0..rounds {
            sealed = sealer.seal(&seal(index), nonce(index), &content).expect("sealed");
        }
        let sealing = began.elapsed();
        let began = Instant::now();
        for _ in 0..rounds {
            sealer.open(&seal(rounds - 1), &sealed).expect("opened");
        }
        let opening = began.elapsed();
        let rate = |elapsed: std::time::Duration| BYTES as f64 / elapsed.as_secs_f64() / 1e9;
        println!("{len} bytes: sealed at {:.2} GB/s, opened at {:.2} GB/s", rate(sealing), rate(opening));
    }
}
