//! Random sequences of operations by several callers, against the model and against the services, over every
//! combination of adapters.
//!
//! `MODEL_SEQUENCES` says how many sequences are run of each combination, `MODEL_SEED` runs only that one; `MODEL_DISK_SEQUENCES` is
//! for those on a disk.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod persistent;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use dittofs_block_cache::{MokaBlockCache, NoBlockCache};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{BlockCache, ContentStore, Journal, MetadataStore};
use dittofs_tests::{
    model::{Outcomes, Step, run, sequence, shrink},
    stores::LoggedContentStore,
    world::{ForgetfulCache, Stores, World, WorldOptions, scale_of},
};

const SEQUENCES: u64 = 60;
const STEPS: usize = 200;
/// Little, so that writes meet the bound.
const UNFLUSHED_BYTES_MAX: u64 = 4 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;
const SHRINK_TRIES: usize = 400;

/// A name, and what makes a new store.
type Maker<P> = (&'static str, fn() -> Arc<P>);

const METADATA: [Maker<dyn MetadataStore>; 1] = [("memory", || Arc::new(MemoryMetadataStore::new()))];
const CONTENT: [Maker<dyn ContentStore>; 2] =
    [("memory", || Arc::new(MemoryContentStore::new())), ("logged", || Arc::new(LoggedContentStore::new()))];
const JOURNALS: [Maker<dyn Journal>; 1] = [("null", || Arc::new(NullJournal::new(JOURNAL_BYTES)))];
const CACHES: [Maker<dyn BlockCache>; 3] = [
    ("moka", || Arc::new(MokaBlockCache::new(16 << 20))),
    ("none", || Arc::new(NoBlockCache)),
    ("forgetful", || Arc::new(ForgetfulCache::new(1))),
];

struct Combination {
    metadata: Maker<dyn MetadataStore>,
    content: Maker<dyn ContentStore>,
    journal: Maker<dyn Journal>,
    cache: Maker<dyn BlockCache>,
}

impl Combination {
    fn all() -> Vec<Combination> {
        let mut all = Vec::new();
        for metadata in METADATA {
            for content in CONTENT {
                for journal in JOURNALS {
                    all.extend(CACHES.map(|cache| Combination { metadata, content, journal, cache }));
                }
            }
        }
        all
    }

    fn name(&self) -> String {
        [self.metadata.0, self.content.0, self.journal.0, self.cache.0].join(" × ")
    }

    fn stores(&self) -> Stores {
        Stores {
            metadata: self.metadata.1(),
            content: self.content.1(),
            journal: self.journal.1(),
            cache: self.cache.1(),
            opens: Arc::new(MemoryOpenState::new()),
        }
    }

    /// Half of the seeds have a share of the smallest scale.
    fn run(&self, steps: &[Step], seed: u64) -> Result<Outcomes, String> {
        let run = || {
            block_on(async {
                let options = WorldOptions { scale: scale_of(seed), ..WorldOptions::new(UNFLUSHED_BYTES_MAX, 1) };
                let world = World::open_with(self.stores(), options).await;
                let result = run(&world, steps).await;
                world.close().await;
                result
            })
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("a panic, as printed above".into()))
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

#[test]
fn services_agree_with_the_model_over_every_combination_of_adapters() {
    let seeds = match number("MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MODEL_SEQUENCES").unwrap_or(SEQUENCES),
    };
    let mut outcomes = Outcomes::new();
    for combination in Combination::all() {
        for seed in seeds.clone() {
            let steps = sequence(seed, STEPS);
            let first = match combination.run(&steps, seed) {
                Ok(counted) => {
                    counted.into_iter().for_each(|(outcome, times)| *outcomes.entry(outcome).or_default() += times);
                    continue;
                }
                Err(first) => first,
            };
            let least = shrink(&steps, SHRINK_TRIES, |steps| combination.run(steps, seed).is_err());
            let last = combination.run(&least, seed).unwrap_err();
            let lines: Vec<String> = least.iter().map(|step| format!("  {step:?}")).collect();
            panic!(
                "{}, MODEL_SEED={seed}: {first}\nas short as it gets:\n{}\n{last}",
                combination.name(),
                lines.join("\n")
            );
        }
    }
    if seeds.end - seeds.start >= SEQUENCES {
        assert_outcomes(&outcomes);
    }
}

/// Sequences that never meet a refusal prove nothing about it.
fn assert_outcomes(outcomes: &Outcomes) {
    let expected = [
        ("create", "Ok Access Exists Invalid NameTooLong NotDirectory NotPermitted Stale TooLarge"),
        ("link", "Ok Access Exists NotDirectory NotPermitted Stale"),
        ("remove", "Ok Access IsDirectory NotDirectory NotEmpty NotFound NotPermitted Stale"),
        ("rename", "Ok Access Invalid IsDirectory NotDirectory NotEmpty NotFound NotPermitted Stale"),
        ("set_attributes", "Ok Access Invalid IsDirectory NotPermitted NotSync Stale TooLarge"),
        ("lookup", "Ok Access NotDirectory NotFound Stale"),
        ("access", "Ok Stale"),
        ("read_link", "Ok Invalid Stale"),
        ("list", "Ok Access NotDirectory Stale"),
        ("read", "Ok Access Invalid IsDirectory Stale"),
        ("write", "Ok Access Invalid IsDirectory Stale TooLarge"),
        ("punch", "Ok Access Invalid IsDirectory Stale"),
        ("allocate", "Ok Access IsDirectory Stale TooLarge"),
        ("seek", "Ok Access Invalid IsDirectory NothingThere Stale"),
        ("allocated_ranges", "Ok Access Invalid IsDirectory Stale"),
        ("clone_range", "Ok Access Invalid IsDirectory Stale TooLarge"),
        ("commit", "Ok Access Invalid IsDirectory Stale"),
    ];
    let wanted = expected.iter().flat_map(|(what, all)| all.split(' ').map(move |result| format!("{what} {result}")));
    let missing: Vec<String> = wanted.filter(|outcome| !outcomes.contains_key(outcome)).collect();
    assert!(missing.is_empty(), "never met: {missing:?}; met: {outcomes:#?}");
}

/// Runs a future on a runtime of its own, whose time jumps wherever everybody sleeps.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}
