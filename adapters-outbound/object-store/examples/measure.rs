//! Rates of an object store in a folder: `measure FOLDER [OBJECTS]`, as JSON lines.
//!
//! Puts are of 64 MiB and durable. Gets are on a single-threaded runtime, as a front has it, of ranges in random places;
//! `cold` after the system was asked to forget the objects.
#![allow(clippy::expect_used)]

use std::{
    fs::File,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
use dittofs_ports::ContentStore;
use rustix::{fs::Advice, time::ClockId};
use serde_json::json;
use tokio::{runtime::Builder, task::JoinSet};

const OBJECT_BYTES: u64 = 64 << 20;
const SHARE: ShareId = ShareId(1);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let objects: u128 = arguments.next().map_or(8, |text| text.parse().expect("a number of objects"));
    let back = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let options = ObjectStoreOptions::Fs(FsOptions::new(&folder));
    let store: Arc<dyn ContentStore> = Arc::new(back.block_on(ObjectStore::open(options)).expect("a store"));
    for at_once in [1, 2, 4] {
        for part in [16 << 10, 128 << 10, 4 << 20] {
            back.block_on(puts(&store, objects, at_once, part));
        }
    }
    let front = Builder::new_current_thread().enable_all().build().expect("a runtime");
    for length in [4 << 10, 16 << 10, 128 << 10, 1 << 20, 4 << 20] {
        front.block_on(gets(&store, "warm", objects, length, 20_000.min((2 << 30) / length as usize)));
    }
    for length in [4 << 10, 128 << 10, 4 << 20] {
        forget(&folder);
        front.block_on(gets(&store, "cold", objects, length, 500.min((256 << 20) / length as usize)));
    }
    back.block_on(clear(&store, objects));
}

fn number(object: u128) -> ObjectId {
    ObjectId(object << 120 | object)
}

async fn clear(store: &Arc<dyn ContentStore>, objects: u128) {
    for object in 0..objects {
        store.delete(SHARE, number(object)).await.expect("a deletion");
    }
}

async fn puts(store: &Arc<dyn ContentStore>, objects: u128, at_once: usize, part: usize) {
    clear(store, objects).await;
    let noise: Vec<u8> = (0..part as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let parts = vec![Bytes::from(noise); OBJECT_BYTES as usize / part];
    let (start, cpu) = (Instant::now(), cpu());
    let mut running = JoinSet::new();
    for object in 0..objects {
        if running.len() == at_once {
            running.join_next().await;
        }
        let (store, parts) = (Arc::clone(store), parts.clone());
        running.spawn(async move { store.put(SHARE, number(object), parts).await.expect("a put") });
    }
    running.join_all().await;
    report("put", at_once, part as u64, objects as u64, OBJECT_BYTES * objects as u64, start, cpu);
}

async fn gets(store: &Arc<dyn ContentStore>, what: &str, objects: u128, length: u64, count: usize) {
    let mut state = 1_u64;
    let places: Vec<(u128, u64)> = (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (u128::from(state >> 33) % objects, (state >> 20) % (OBJECT_BYTES - length))
        })
        .collect();
    for object in 0..objects {
        store.get(SHARE, number(object), 0..1).await.expect("an object");
    }
    let (start, cpu) = (Instant::now(), cpu());
    for (object, at) in places {
        black_box(store.get(SHARE, number(object), at..at + length).await.expect("a range"));
    }
    report(what, 1, length, count as u64, length * count as u64, start, cpu);
}

fn report(what: &str, at_once: usize, unit: u64, count: u64, bytes: u64, start: Instant, cpu_before: Duration) {
    let (took, cpu) = (start.elapsed(), cpu() - cpu_before);
    let mib = bytes as f64 / f64::from(1 << 20);
    let line = json!({
        "what": what, "at_once": at_once, "unit": unit, "count": count,
        "mib_s": (mib / took.as_secs_f64()).round(),
        "us_each": (took.as_secs_f64() * 1e7 / count as f64).round() / 10.0,
        "cpu_us_mib": (cpu.as_secs_f64() * 1e6 / mib).round(),
    });
    println!("{line}");
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Has the system forget what it holds of all files below.
fn forget(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            forget(&path);
        } else if let Ok(file) = File::open(&path) {
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).expect("the system forgets");
        }
    }
}
