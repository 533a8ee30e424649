//! The limits of the store without the server: parallel uploads, and parallel ranged GETs of 4 MiB.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_object_store::{ObjectStore, ObjectStoreOptions, S3Credentials, S3Options, Secret};
use dittofs_ports::ContentStore;
use dittofs_tests::s3::{ACCESS_KEY, BUCKET, SECRET_KEY};
use futures_util::stream::{self, StreamExt};
use tokio::runtime::{Builder, Runtime};

use crate::client::pattern;

const SHARE: ShareId = ShareId(1);
const OBJECT_BYTES: u64 = 64 << 20;
const RANGE_BYTES: u64 = 4 << 20;
const FRAME_BYTES: u64 = 32 << 10;

pub(crate) struct Limits {
    store: Arc<ObjectStore>,
    runtime: Runtime,
    objects: u64,
}

impl Limits {
    pub(crate) fn new(proxy: SocketAddr, objects: u64) -> Limits {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options: S3Options = S3Options {
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(format!("http://{proxy}")),
            prefix: "limits".to_owned(),
            addressing: None,
            credentials: S3Credentials::Keys {
                access_key_id: ACCESS_KEY.to_owned(),
                secret_access_key: Secret::new(SECRET_KEY),
            },
            checksum: Default::default(),
            transfer: Default::default(),
        };
        let store = runtime.block_on(ObjectStore::open(ObjectStoreOptions::S3(options))).unwrap();
        Limits { store: Arc::new(store), runtime, objects }
    }

    /// Uploads all objects, so many at a time; answers bytes a second.
    pub(crate) fn put(&self, at_once: usize, first: u64) -> f64 {
        let bytes = Bytes::from(pattern(0, OBJECT_BYTES as usize));
        let began = Instant::now();
        let puts = (0..self.objects).map(|number| {
            let (store, bytes) = (Arc::clone(&self.store), bytes.clone());
            async move { store.put(SHARE, ObjectId(u128::from(first + number)), vec![bytes]).await.unwrap() }
        });
        self.runtime.block_on(stream::iter(puts).buffer_unordered(at_once).for_each(async |()| {}));
        (self.objects * OBJECT_BYTES) as f64 / began.elapsed().as_secs_f64()
    }

    /// Gets all objects in ranges, so many at a time; answers bytes a second.
    pub(crate) fn get(&self, at_once: usize) -> f64 {
        let ranges = (0..self.objects)
            .flat_map(|number| (0..OBJECT_BYTES / RANGE_BYTES).map(move |range| (number, range * RANGE_BYTES)));
        let began = Instant::now();
        let gets = ranges.map(|(number, at)| {
            let store = Arc::clone(&self.store);
            let get = async move {
                let parts = store.get(SHARE, ObjectId(u128::from(number)), at..at + RANGE_BYTES).await.unwrap();
                assert_eq!(parts.iter().map(Bytes::len).sum::<usize>() as u64, RANGE_BYTES);
            };
            async move { tokio::spawn(get).await.unwrap() }
        });
        self.runtime.block_on(stream::iter(gets).buffer_unordered(at_once).for_each(async |()| {}));
        (self.objects * OBJECT_BYTES) as f64 / began.elapsed().as_secs_f64()
    }

    /// How long a ranged GET of a frame takes, at this many in flight: the median.
    pub(crate) fn trip(&self, at_once: usize, gets: usize) -> Duration {
        let gets = (0..gets as u64).map(|number| {
            let store = Arc::clone(&self.store);
            let at = number.wrapping_mul(0x9E37_79B9) % (OBJECT_BYTES - FRAME_BYTES);
            let get = async move {
                let began = Instant::now();
                store.get(SHARE, ObjectId(0), at..at + FRAME_BYTES).await.unwrap();
                began.elapsed()
            };
            async move { tokio::spawn(get).await.unwrap() }
        });
        let mut times: Vec<Duration> =
            self.runtime.block_on(stream::iter(gets).buffer_unordered(at_once).collect::<Vec<_>>());
        times.sort_unstable();
        times[times.len() / 2]
    }
}
