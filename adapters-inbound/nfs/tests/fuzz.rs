//! Runs each fuzz target over mutated inputs. `FUZZ_SECONDS` makes it run for so long in all, from a seed that it prints.

use std::time::{Duration, Instant};

use dittofs_nfs::fuzz::TARGETS;

#[test]
fn no_target_panics_on_mutated_input() {
    let seconds: Option<u64> = std::env::var("FUZZ_SECONDS").ok().and_then(|value| value.parse().ok());
    let seed = seconds.map_or(1, |_| u64::from(std::process::id()));
    println!("seed {seed}");
    let share = seconds.map(|seconds| Duration::from_secs(seconds) / TARGETS.len() as u32);
    for (name, target) in TARGETS {
        println!("{name}: {} inputs", run(seed, share, *target));
    }
}

#[test]
fn a_decoder_that_believes_a_length_is_found() {
    let gullible = |data: &[u8]| {
        if let Some((length, rest)) = data.split_first_chunk() {
            let _ = &rest[..u32::from_be_bytes(*length).min(64) as usize];
        }
    };
    assert!(std::panic::catch_unwind(|| run(1, None, gullible)).is_err());
}

/// Gives a target mutated inputs, for so long or 20,000 of them; answers how many.
fn run(seed: u64, share: Option<Duration>, target: fn(&[u8])) -> u64 {
    let mut source = Source(seed);
    let mut corpus = seeds();
    let begun = Instant::now();
    let mut rounds = 0u64;
    while share.map_or(rounds < 20_000, |share| begun.elapsed() < share) {
        let chosen = source.below(corpus.len());
        let input = source.mutate(&corpus[chosen]);
        target(&input);
        rounds += 1;
        // A slow drift away from the seeds.
        if rounds.is_multiple_of(16) {
            corpus[chosen] = input;
        }
        if rounds.is_multiple_of(4096) {
            corpus = seeds();
        }
    }
    rounds
}

/// Well-formed inputs to start from: streams, calls and arguments look alike enough to share them.
fn seeds() -> Vec<Vec<u8>> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let sys = [1, 32, 7, 4, 0x6162_6364, 1000, 100, 2, 5, 6, 0, 0];
    let call = words(&[&[9, 0, 2, 100_000, 2, 3][..], &sys, &[100_003, 3, 6, 0]].concat());
    let arguments = words(&[8, 1, 2, 4, 0x6162_6364, 1, 0o644, 0, 1, 7, 0, 1, 2, 2, 5, 0, 0, 0]);
    let stream = [&[3][..], &words(&[1 << 31 | 8, 1, 2, 4, 3, 1 << 31 | 4, 4])].concat();
    let chosen = (0..22u8).map(|choice| [&[choice][..], &arguments].concat());
    chosen.chain([call, stream, Vec::new(), words(&[1; 64]), words(&[0; 64])]).collect()
}

/// A small seeded generator (SplitMix64) that mutates inputs.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn mutate(&mut self, input: &[u8]) -> Vec<u8> {
        let mut input = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len());
            match self.below(6) {
                0 => input.truncate(at),
                1 => input.insert(at, self.next() as u8),
                2 => input.extend((0..self.below(64)).map(|_| 0)),
                _ if input.is_empty() => input.push(self.next() as u8),
                3 => input[at] ^= 1 << self.below(8),
                4 => input[at] = [0, 1, 2, 4, 0x7f, 0x80, 0xff][self.below(7)],
                _ => {
                    let word = [0u32, 1, 2, 4, 1 << 31, u32::MAX, 65, 400, 1025][self.below(9)].to_be_bytes();
                    let at = at & !3;
                    input.splice(at..(at + 4).min(input.len()), word);
                }
            }
        }
        input
    }
}
