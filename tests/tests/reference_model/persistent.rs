//! The same over stores on a disk, or with content on S3 behind a network that loses answers, all of them tiny, with ends of the server in the middle: one in two is a clean stop,
//! the others leave everything as it is. What was answered, stable or not, is in the system's memory, so all of it must
//! be there again.

use std::{path::Path, sync::Arc, time::Duration};

use dittofs_object_store::{ObjectStore, TransferOptions};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_tests::{
    bucket::store_options,
    fault_proxy::{Fate, FaultProxy},
    model::{Outcomes, Past, end, live, sequence},
    s3::S3Server,
    world::{DiskOptions, Stores, World, WorldOptions, keys, scale_of},
};

use crate::number;

const SEQUENCES: u64 = 4;
const STEPS: usize = 120;
/// How long a life is, in steps.
const LIFE: usize = 30;
/// Little, so that flushes are forced all the time.
const UNFLUSHED_BYTES_MAX: u64 = 3 << 20;
/// How much faster time passes: ages and graces are waited for.
const SPEED: u32 = 400;
const DISK: DiskOptions = DiskOptions {
    journal_bytes: 8 << 20,
    segment_bytes: 2 << 20,
    cache_bytes: 300 << 10,
    metadata_bytes: [1 << 20, 64 << 10, 64 << 10],
};

/// Where metadata are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Metadata {
    Disk,
    Database,
}

/// A database of its own for each sequence, or none.
struct Database(Option<PostgresServer>);

impl Database {
    fn start(metadata: Metadata) -> Database {
        Database((metadata == Metadata::Database).then(PostgresServer::start))
    }

    /// The stores, with metadata in the database if there is one.
    async fn instead(&self, stores: Stores) -> Stores {
        let Some(server) = &self.0 else { return stores };
        let options = PostgresOptions {
            host: Some("127.0.0.1".to_owned()),
            port: Some(server.port()),
            user: Some(USER.to_owned()),
            database: Some(DATABASE.to_owned()),
            password: Some(Secret::new(PASSWORD)),
            ..PostgresOptions::default()
        };
        Stores { metadata: Arc::new(PostgresMetadataStore::open(&options).await.unwrap()), ..stores }
    }
}

/// Where content is.
#[derive(Clone, Copy)]
enum Content<'a> {
    Folder,
    S3(&'a FaultProxy),
}

impl Content<'_> {
    async fn open(self, folder: &Path) -> Stores {
        match self {
            Content::Folder => DISK.open(folder).await,
            Content::S3(proxy) => {
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                let transfer = TransferOptions { retry_delay_seconds_max: 1, ..TransferOptions::default() };
                let options = store_options(proxy.address(), &name, transfer);
                DISK.open_with(folder, Arc::new(ObjectStore::open(options).await.unwrap()))
            }
        }
    }
}

fn run(seed: u64, metadata: Metadata, content: Content<'_>) -> Result<Outcomes, String> {
    let database = Database::start(metadata);
    let folder = tempfile::tempdir().unwrap();
    let steps = sequence(seed, STEPS);
    let mut past = Past::default();
    let mut outcomes = Outcomes::new();
    let lives = steps.len().div_ceil(LIFE);
    for (life, steps) in (1..).zip(steps.chunks(LIFE)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let lived = runtime.block_on(async {
            let stores = database.instead(content.open(folder.path()).await).await;
            // With another key in each life, and in one of three without sealing what is new.
            let sealer = keys(life as u32, life % 3 != 2);
            let scale = scale_of(seed);
            let options =
                WorldOptions { speed: SPEED, sealer, scale, ..WorldOptions::new(UNFLUSHED_BYTES_MAX, seed + life) };
            let world = World::open_with(stores, options).await;
            let past = live(&world, std::mem::take(&mut past), steps).await?;
            if life == lives as u64 {
                outcomes = end(&world, past).await?;
                world.close().await;
                return Ok(Past::default());
            }
            if life.is_multiple_of(2) {
                world.close().await;
            }
            Ok(past)
        });
        // The server's tasks end wherever they are.
        runtime.shutdown_timeout(Duration::from_secs(10));
        past = lived.map_err(|what: String| format!("life {life}: {what}"))?;
    }
    Ok(outcomes)
}

fn agree(sequences: u64, metadata: Metadata, content: Content<'_>) {
    let seeds = match number("MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MODEL_DISK_SEQUENCES").unwrap_or(sequences),
    };
    let mut done = 0;
    for seed in seeds {
        let outcomes = run(seed, metadata, content).unwrap_or_else(|what| panic!("MODEL_SEED={seed}: {what}"));
        done += outcomes.iter().filter(|(what, _)| what.ends_with(" Ok")).map(|(_, times)| times).sum::<u64>();
    }
    assert!(done > 50, "only {done} operations succeeded");
}

#[test]
fn a_share_on_a_disk_agrees_with_the_model_over_every_end_of_its_server() {
    agree(SEQUENCES, Metadata::Disk, Content::Folder);
}

#[test]
fn a_share_in_a_database_agrees_with_the_model_over_every_end_of_its_server() {
    agree(SEQUENCES, Metadata::Database, Content::Folder);
}

#[test]
fn a_share_on_s3_agrees_with_the_model_over_lost_answers_and_every_end_of_its_server() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    proxy.rule(|seen| match seen.number % 11 {
        3 => Fate::DropAfter,
        7 => Fate::Refuse(503, "SlowDown"),
        _ => Fate::Pass,
    });
    agree(SEQUENCES / 2, Metadata::Disk, Content::S3(&proxy));
    assert!(proxy.seen().iter().any(|(seen, fate)| seen.is_of_object() && *fate == Fate::DropAfter));
}
