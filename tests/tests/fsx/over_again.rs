//! A file that begins with a hole, written twice in one burst each, whose objects arrive in any order: what one object
//! has no room for must not come from the next one as it was before. `TIMES` says how often.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{ObjectId, Scale, ShareId};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{ContentError, ContentStore, Stability};
use dittofs_tests::model::Random;

use crate::{
    block_on,
    exerciser::{Exerciser, memory_stores},
    number,
};

/// Each takes some milliseconds.
const TIMES: u64 = 100;
/// As many pages as 128 MiB are at the scale of production.
const PAGES: u64 = 128;
/// After it what was written is flushed.
const FLUSHED: Duration = Duration::from_secs(9);

/// A store that takes each object after another while, so that later ones overtake earlier ones.
struct OutOfOrder {
    inner: MemoryContentStore,
    random: Mutex<Random>,
}

#[async_trait]
impl ContentStore for OutOfOrder {
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, put_to_free, capacity,
        discard, get, delete, list);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let ms = self.random.lock().unwrap().below(3_000);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        self.inner.put(share, object, parts).await
    }
}

async fn once(seed: u64) {
    let content = OutOfOrder { inner: MemoryContentStore::new(), random: Mutex::new(Random::new(seed)) };
    let stores = memory_stores(Arc::new(content), Arc::new(NoBlockCache));
    let mut file = Exerciser::with(stores, 0, seed, Scale::TINY).await;
    let page = Scale::TINY.page();
    for _ in 0..2 {
        let mut at = page;
        while at < PAGES * page {
            let length = file.random.of(&[page, 2 * page, 4 * page]).min(PAGES * page - at);
            file.write_at(at as usize, length as usize, Stability::Unstable).await;
            at += length;
        }
        file.commit().await;
        let part = file.random.of(&[0.3, 0.7, 1.0]);
        file.world().pass(FLUSHED.mul_f64(part)).await;
    }
    file.compare(0, (PAGES * page) as usize).await;
    file.world().pass(FLUSHED).await;
    file.compare(0, (PAGES * page) as usize).await;
    file.world().close().await;
}

#[test]
fn a_file_that_is_written_over_at_once_is_never_as_it_was_before() {
    block_on(async {
        for seed in 0..number("TIMES", TIMES) {
            once(seed).await;
        }
    });
}
