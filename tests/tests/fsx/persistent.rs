//! The same on a disk, with a small journal, a tiny cache and many ends: the process that served the file is gone, and
//! another one opens the same stores. What was answered, stable or not, is in the system's memory, so all of it is there.

use std::time::Duration;

use dittofs_domain::Scale;
use dittofs_tests::world::{DiskOptions, World, WorldOptions};

use crate::{
    exerciser::{Exerciser, UNFLUSHED_BYTES_MAX, WINDOW},
    number,
};

const LIVES: u64 = 12;
const OPERATIONS_PER_LIFE: u64 = 150;

const DISK: DiskOptions = DiskOptions {
    journal_bytes: 16 << 20,
    segment_bytes: 1 << 20,
    cache_bytes: 1 << 20,
    metadata_bytes: [256 << 20, 64 << 20, 16 << 20],
};

#[test]
fn a_file_on_a_disk_keeps_what_was_written_over_every_end_of_its_server() {
    exercise(Scale::PRODUCTION, number("FSX_LIVES", LIVES));
}

#[test]
fn a_file_on_a_disk_that_is_cut_into_the_smallest_parts_keeps_what_was_written() {
    exercise(Scale::TINY, number("FSX_LIVES", LIVES / 2));
}

fn exercise(scale: Scale, lives: u64) {
    let folder = tempfile::tempdir().unwrap();
    let seed = number("FSX_SEED", 1);
    let mut before: Option<Exerciser> = None;
    for life in 0..lives {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        before = Some(runtime.block_on(async {
            let options = WorldOptions { scale, ..WorldOptions::new(UNFLUSHED_BYTES_MAX, seed + life) };
            let world = World::open_with(DISK.open(folder.path()).await, options).await;
            let mut exerciser = match before.take() {
                Some(before) => before.in_another_life(world),
                None => Exerciser::on(world, 0, seed).await,
            };
            (exerciser.short, exerciser.long) = (Duration::from_millis(5), Duration::from_millis(700));
            exerciser.compare(0, WINDOW as usize).await;
            for _ in 0..OPERATIONS_PER_LIFE {
                exerciser.operation().await;
            }
            exerciser.compare(0, WINDOW as usize).await;
            exerciser
        }));
        // Its tasks end wherever they are; nothing is flushed and nothing is closed.
        if let Some(exerciser) = &mut before {
            exerciser.end();
        }
        runtime.shutdown_timeout(Duration::from_secs(10));
    }
}
