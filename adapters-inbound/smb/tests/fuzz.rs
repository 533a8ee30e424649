//! Runs each decoder of the protocol over mutated requests, which real clients have sent (`requests.bin`: each behind its
//! length of four bytes, big-endian). `FUZZ_SECONDS` makes it run for so long in all, from a seed that it prints.

use std::time::{Duration, Instant};

use dittofs_smb_rpc::fuzz as rpc;
use dittofs_smb_security::fuzz as security;
use dittofs_smb_wire::fuzz as wire;

type Target = fn(&[u8]);

const REQUESTS: &[u8] = include_bytes!("requests.bin");
/// Where the body of a request begins, and where its buffers mostly do.
const BODY: usize = 64;

const TARGETS: [(&str, Target); 16] = [
    ("frame", wire::frame),
    ("header", wire::header),
    ("packet", wire::packet),
    ("compound", wire::compound),
    ("transform", wire::transform),
    ("smb1", wire::smb1_negotiate),
    ("create contexts", wire::create_contexts),
    ("negotiate context", wire::negotiate_context),
    ("ntlm negotiate", security::ntlm_negotiate),
    ("ntlm authenticate", security::ntlm_authenticate),
    ("spnego init", security::spnego_init),
    ("spnego response", security::spnego_resp),
    ("sealed", security::transform),
    ("pipe", rpc::pipe),
    ("rpc call", rpc::call),
    ("rpc pdus", rpc::pdus),
];

#[test]
fn no_decoder_panics_on_mutated_requests() {
    let seconds: Option<u64> = std::env::var("FUZZ_SECONDS").ok().and_then(|value| value.parse().ok());
    let seed = seconds.map_or(1, |_| u64::from(std::process::id()));
    println!("seed {seed}");
    let bodies = wire::BODIES.iter().map(|(_, target)| ("body", *target));
    let payloads = wire::payload::TARGETS.iter().map(|(name, target)| (*name, *target as Target));
    let targets: Vec<(&str, Target)> = TARGETS.into_iter().chain(bodies).chain(payloads).collect();
    let share = seconds.map(|seconds| Duration::from_secs(seconds) / targets.len() as u32);
    for (name, target) in targets {
        println!("{name}: {} inputs", run(seed, share, target));
    }
}

/// Gives a target mutated inputs, for so long or 5,000 of them; answers how many.
fn run(seed: u64, share: Option<Duration>, target: Target) -> u64 {
    let (mut source, seeds) = (Source(seed), seeds());
    let begun = Instant::now();
    let mut rounds = 0u64;
    while share.map_or(rounds < 5_000, |share| begun.elapsed() < share) {
        let chosen = source.below(seeds.len());
        target(&source.mutate(&seeds[chosen]));
        rounds += 1;
    }
    rounds
}

/// Whole requests, their bodies, and what comes in their buffers.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    let mut rest = REQUESTS;
    while let Some((length, requests)) = rest.split_first_chunk() {
        let (request, others) = requests.split_at(u32::from_be_bytes(*length) as usize);
        rest = others;
        seeds.push([&[0, 0, 0, request.len() as u8][..], request].concat());
        seeds.push(request.to_vec());
        seeds.push(request.get(BODY..).unwrap_or_default().to_vec());
        let token = request.windows(7).position(|window| window == b"NTLMSSP");
        seeds.extend(token.map(|at| request[at..].to_vec()));
        seeds.extend(request.get(BODY + 24..).map(<[u8]>::to_vec));
    }
    seeds
}

/// A small seeded generator (xorshift) that mutates inputs.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Changes some bytes: little-endian lengths and offsets above all.
    fn mutate(&mut self, input: &[u8]) -> Vec<u8> {
        let mut input = input.to_vec();
        for _ in 0..=self.below(4) {
            if input.is_empty() {
                input.push(self.next() as u8);
                continue;
            }
            let at = self.below(input.len());
            match self.below(4) {
                0 => input.truncate(at),
                1 => input[at] ^= 1 << self.below(8),
                2 => input[at] = [0, 1, 8, 0x40, 0x7f, 0x80, 0xff][self.below(7)],
                _ => {
                    let value = [0u16, 1, 7, 8, 64, 0x58, 0x7fff, u16::MAX][self.below(8)].to_le_bytes();
                    let at = at & !1;
                    input.splice(at..(at + 2).min(input.len()), value);
                }
            }
        }
        input
    }
}
