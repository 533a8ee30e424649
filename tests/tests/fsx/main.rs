//! Reads, writes, truncations, commits, flushes and time on one file, against a vector of bytes: what fsx does to a
//! file system, directly on the services. `FSX_OPERATIONS` and `FSX_SEED` change how many and which.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exerciser;
mod over_again;
mod persistent;

use std::{sync::Arc, time::Duration};

use dittofs_block_cache::{MokaBlockCache, NoBlockCache};
use dittofs_domain::{Scale, content::CHUNK_BYTES};
use dittofs_ports::{BlockCache, BlockService, Stability};
use dittofs_tests::world::ForgetfulCache;

use exerciser::{Exerciser, WINDOW};

const OPERATIONS: u64 = 20_000;
/// After so many operations the whole window is compared.
const COMPARE_EVERY: u64 = 500;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

fn exercise(base: u64, cache: Arc<dyn BlockCache>, scale: Scale) {
    let (operations, seed) = (number("FSX_OPERATIONS", OPERATIONS), number("FSX_SEED", 1));
    block_on(async {
        let mut exerciser = Exerciser::new(base, cache, seed, scale).await;
        for done in 1..=operations {
            exerciser.operation().await;
            if done % COMPARE_EVERY == 0 {
                exerciser.compare(0, WINDOW as usize).await;
            }
        }
        exerciser.world().close().await;
        exerciser.compare(0, WINDOW as usize).await;
    });
}

#[test]
fn a_file_keeps_what_was_written_with_a_cache() {
    exercise(0, Arc::new(MokaBlockCache::new(2 << 20)), Scale::PRODUCTION);
}

#[test]
fn a_file_keeps_what_was_written_across_a_chunk_boundary_without_a_cache() {
    exercise(CHUNK_BYTES - WINDOW / 2, Arc::new(NoBlockCache), Scale::PRODUCTION);
}

#[test]
fn a_file_keeps_what_was_written_with_a_cache_that_forgets() {
    exercise(0, Arc::new(ForgetfulCache::new(1)), Scale::PRODUCTION);
}

#[test]
fn a_file_that_is_cut_into_the_smallest_parts_keeps_what_was_written() {
    exercise(0, Arc::new(ForgetfulCache::new(1)), Scale::TINY);
}

#[test]
fn a_writer_that_is_faster_than_the_flush_is_slowed_down_and_not_refused() {
    block_on(async {
        let exerciser = Exerciser::new(0, Arc::new(NoBlockCache), 1, Scale::PRODUCTION).await;
        let start = tokio::time::Instant::now();
        let data = bytes::Bytes::from(vec![7; 1 << 20]);
        for mebibyte in 0..64 {
            let (share, caller) = (&exerciser.world().share, &exerciser.caller);
            let wrote = share.write(caller, exerciser.file, mebibyte << 20, data.clone(), Stability::Unstable).await;
            assert!(wrote.is_ok(), "MiB {mebibyte}: {wrote:?}");
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?} were waited", start.elapsed());
    });
}

/// Runs a future on a runtime of its own, whose time jumps wherever everybody sleeps.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}
