//! Runs each decoder of the protocol over mutated requests, which real clients have sent. `FUZZ_SECONDS` makes it run for so
//! long in all, from a seed that it prints; `FUZZ_TARGETS` chooses targets, by their names with commas between them.

#[path = "fuzz/seeds.rs"]
mod seeds;

use std::time::{Duration, Instant};

use dittofs_smb_rpc::fuzz as rpc;
use dittofs_smb_security::fuzz as security;
use dittofs_smb_wire::fuzz as wire;

use seeds::Kind;

type Target = fn(&[u8]);

const TARGETS: [(&str, Kind, Target); 16] = [
    ("frame", Kind::Frames, wire::frame),
    ("header", Kind::Messages(0xFE), wire::header),
    ("packet", Kind::Any, wire::packet),
    ("compound", Kind::Messages(0xFE), wire::compound),
    ("transform", Kind::Messages(0xFD), wire::transform),
    ("smb1", Kind::Messages(0xFF), wire::smb1_negotiate),
    ("create contexts", Kind::CreateContexts, wire::create_contexts),
    ("negotiate context", Kind::NegotiateContext, wire::negotiate_context),
    ("ntlm negotiate", Kind::Ntlm(1), security::ntlm_negotiate),
    ("ntlm authenticate", Kind::Ntlm(3), security::ntlm_authenticate),
    ("spnego init", Kind::Tokens(0x60), security::spnego_init),
    ("spnego response", Kind::Tokens(0xA1), security::spnego_resp),
    ("sealed", Kind::Messages(0xFD), security::transform),
    ("pipe", Kind::Pipe, rpc::pipe),
    ("rpc call", Kind::RpcCall, rpc::call),
    ("rpc pdus", Kind::RpcPdus, rpc::pdus),
];

#[test]
fn no_decoder_panics_on_mutated_requests() {
    let seconds: Option<u64> = std::env::var("FUZZ_SECONDS").ok().and_then(|value| value.parse().ok());
    let chosen = std::env::var("FUZZ_TARGETS").ok();
    let seed = seconds.map_or(1, |_| u64::from(std::process::id()));
    println!("seed {seed}");
    let is_chosen = |name: &str| chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|one| one == name));
    let targets: Vec<_> = targets().into_iter().filter(|(name, ..)| is_chosen(name)).collect();
    assert!(!targets.is_empty(), "no target has a name of these: {chosen:?}");
    let share = seconds.map(|seconds| Duration::from_secs(seconds) / targets.len() as u32);
    for (name, kind, target) in targets {
        let begun = Instant::now();
        let inputs = run(seed, share, kind, &name, target);
        println!("{name}: {inputs} inputs in {} s", begun.elapsed().as_secs());
    }
}

/// All targets, also of bodies and of what they carry.
fn targets() -> Vec<(String, Kind, Target)> {
    let bodies = wire::BODIES
        .iter()
        .map(|(command, target)| (format!("body {command:?}"), Kind::Bodies(*command), *target as Target));
    let payloads = wire::payload::TARGETS.iter().map(|(name, target)| {
        let kind = match *name {
            "set_info" => Kind::SetInfo,
            "ea_list" => Kind::Attributes,
            "control" => Kind::Control,
            "security_descriptor" => Kind::SecurityDescriptor,
            "sid_text" | "file_name" | "pattern" => Kind::Text,
            _ => Kind::Any,
        };
        ((*name).to_owned(), kind, *target as Target)
    });
    let others = TARGETS.into_iter().map(|(name, kind, target)| (name.to_owned(), kind, target));
    others.chain(bodies).chain(payloads).collect()
}

#[test]
fn a_decoder_that_believes_a_length_is_found() {
    let gullible = |data: &[u8]| {
        if let Some((length, rest)) = data.split_first_chunk() {
            let _ = &rest[..u32::from_be_bytes(*length).min(1 << 20) as usize];
        }
    };
    assert!(std::panic::catch_unwind(|| run(1, None, Kind::Frames, "gullible", gullible)).is_err());
}

/// An input that is shown if the target panics.
struct Shown<'i>(&'i str, &'i [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {:02x?}", self.0, self.1);
        }
    }
}

/// Gives a target mutated inputs, for so long or 5,000 of them; answers how many.
fn run(seed: u64, share: Option<Duration>, kind: Kind, name: &str, target: Target) -> u64 {
    let mut source = Source(seed);
    let begin: Vec<Vec<u8>> = kind.seeds().into_iter().chain([Vec::new()]).collect();
    let mut corpus = begin.clone();
    let begun = Instant::now();
    let mut rounds = 0u64;
    // The time is asked for now and then only.
    while share.map_or(rounds < 5_000, |share| !rounds.is_multiple_of(64) || begun.elapsed() < share) {
        let chosen = source.below(corpus.len());
        let input = source.mutate(&corpus[chosen]);
        let shown = Shown(name, &input);
        target(&input);
        drop(shown);
        rounds += 1;
        // A slow drift away from the seeds.
        if rounds.is_multiple_of(16) {
            corpus[chosen] = input;
        }
        if rounds.is_multiple_of(4096) {
            corpus.clone_from(&begin);
        }
    }
    rounds
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
            match self.below(6) {
                0 => input.truncate(at),
                1 => input[at] ^= 1 << self.below(8),
                2 => input[at] = [0, 1, 8, 0x40, 0x7f, 0x80, 0xff][self.below(7)],
                3 => input[at] = self.next() as u8,
                4 => self.repeat(&mut input, at),
                _ => {
                    let value = [0u16, 1, 7, 8, 64, 0x58, 0x7fff, u16::MAX][self.below(8)].to_le_bytes();
                    let at = at & !1;
                    input.splice(at..(at + 2).min(input.len()), value);
                }
            }
        }
        input
    }

    /// Puts a part of the input in once more, or takes it away.
    fn repeat(&mut self, input: &mut Vec<u8>, at: usize) {
        let end = (at + 1 + self.below(32)).min(input.len());
        if self.below(2) == 0 && input.len() < 1 << 16 {
            let part = input[at..end].to_vec();
            input.splice(at..at, part);
        } else {
            input.drain(at..end);
        }
    }
}
