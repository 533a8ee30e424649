//! Flushes of many files, again and again, as the server publishes them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_domain::{
    ChangeId, Cookie, Epoch, KeyId, Name, Node, NodeId, NodeKind, ObjectId, PlaceId, Scale, Sequence, ShareId,
    Timestamp,
    content::{
        BlockPlace, Stored,
        block::CODEC_NONE,
        map::{self, Facts, Piece, Source},
    },
    node::Parent,
    plan::{Change, EntryKey, Expectation, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Statistics, TimeChange},
};
use dittofs_ports::{Counter, MetadataStore, ShareMetadata, ShareRecord};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, Plain, PostgresServer, USER};
use dittofs_tests::{model::Random, report::Report};
use futures_util::future::join_all;

use crate::{Options, SHARE, tables::State};

/// Flushes at a time; each task has files of its own.
const TASKS: u64 = 16;
/// Files whose bytes share an object.
const OBJECT_FILES: u32 = 64;
const BYTES: u32 = 4_096;
const EPOCH: Epoch = Epoch(1);
/// A line on the way after so many flushes.
const EVERY: u64 = 250_000;

/// Measures the tables before and after.
pub(crate) fn measure(options: &Options, report: &mut Report) {
    let settings = ["autovacuum=on", "shared_buffers=256MB", "max_wal_size=1GB"];
    let settings: Vec<&str> = settings.into_iter().chain(options.setting.iter().map(String::as_str)).collect();
    let database = PostgresServer::with(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store_options = PostgresOptions {
            host: Some("127.0.0.1".to_owned()),
            port: Some(database.port()),
            user: Some(USER.to_owned()),
            database: Some(DATABASE.to_owned()),
            password: Some(Secret::new(PASSWORD)),
            max_connections: TASKS as u32,
            ..PostgresOptions::default()
        };
        let store = PostgresMetadataStore::open(&store_options).await.unwrap();
        let id = ShareId(SHARE);
        let root = Node::root(0, 0, 0o755, Timestamp::EPOCH);
        store.create_share(&ShareRecord::new(id, "/flushes"), &root).await.unwrap();
        let share = store.share(id).await.unwrap().unwrap();
        let mut person = Plain::connect(&database).await;
        let first = share.allocate(Counter::Ids, 1 << 32).await.unwrap().start;
        let mut tasks = tasks(&*share, options, first).await;
        // Each file once: the least that the tables can be.
        run(&share, &mut tasks, &mut person, Work::EachOnce).await;
        person.carry_out("VACUUM (ANALYZE)").await;
        let before = State::of(&mut person).await;
        eprintln!("before: {}", before.line());
        let began = Instant::now();
        run(&share, &mut tasks, &mut person, Work::Random(options.flushes / 2)).await;
        let midway = State::of(&mut person).await;
        run(&share, &mut tasks, &mut person, Work::Random(options.flushes - options.flushes / 2)).await;
        let took = began.elapsed();
        let after = State::of(&mut person).await;
        report.note("flushes", options.flushes.to_string());
        report.note("files that they were of", options.flushed_files.to_string());
        report.note(
            format!("flushes a second, {TASKS} at a time"),
            format!("{:.0}", options.flushes as f64 / took.as_secs_f64()),
        );
        after.note(&before, &midway, report);
    });
}

/// Files, and where their bytes are.
struct Task {
    number: u64,
    files: Vec<NodeId>,
    objects: Vec<Option<ObjectId>>,
    /// How many files have bytes in an object.
    used: HashMap<ObjectId, u32>,
    open: Option<(ObjectRecord, u32)>,
    random: Random,
}

#[derive(Clone, Copy)]
enum Work {
    EachOnce,
    /// So many flushes over all tasks.
    Random(u64),
}

async fn tasks(share: &dyn ShareMetadata, options: &Options, first: u64) -> Vec<Task> {
    let mut tasks = Vec::new();
    for number in 0..TASKS {
        let random = Random::new(100 + number);
        tasks.push(Task { number, files: vec![], objects: vec![], used: HashMap::new(), open: None, random });
    }
    let mut together = Vec::new();
    for file in 0..options.flushed_files {
        let (id, cookie) = (NodeId(first + 2 * file), Cookie(first + 2 * file + 1));
        let name = Name::new(format!("file-{file}").as_bytes()).unwrap();
        let key = EntryKey::child(NodeId::ROOT, &name);
        let parent = Parent { directory: NodeId::ROOT, cookie };
        let mut plan = Plan::at(Timestamp::EPOCH);
        plan.require(Expectation::EntryAbsent(key.clone()));
        plan.change(Change::InsertNode(Box::new(Node::bare(id, NodeKind::File, parent, Timestamp::EPOCH))));
        plan.change(Change::InsertEntry { key, node: id, cookie });
        plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate::entries_changed()));
        plan.change(Change::Count(Statistics { bytes: 1_024, nodes: 1 }));
        tasks[(file % TASKS) as usize].files.push(id);
        together.push(share.apply(plan, None));
        if together.len() == 64 || file + 1 == options.flushed_files {
            // They go to the database in one call.
            join_all(together.drain(..)).await.into_iter().for_each(|applied| drop(applied.unwrap()));
        }
    }
    tasks.iter_mut().for_each(|task| task.objects = vec![None; task.files.len()]);
    tasks
}

async fn run(share: &Arc<dyn ShareMetadata>, tasks: &mut Vec<Task>, person: &mut Plain, work: Work) {
    let done = Arc::new(AtomicU64::new(0));
    let mut running = tokio::task::JoinSet::new();
    for mut task in std::mem::take(tasks) {
        let (share, done) = (Arc::clone(share), Arc::clone(&done));
        running.spawn(async move {
            task.work(&*share, work, &done).await;
            task
        });
    }
    let mut shown = 0;
    loop {
        match tokio::time::timeout(Duration::from_secs(1), running.join_next()).await {
            Ok(Some(task)) => tasks.push(task.unwrap()),
            Ok(None) => return,
            Err(_) if done.load(Ordering::Relaxed) / EVERY > shown => {
                shown = done.load(Ordering::Relaxed) / EVERY;
                eprintln!("{} flushes; {}", done.load(Ordering::Relaxed), State::of(person).await.line());
            }
            Err(_) => {}
        }
    }
}

impl Task {
    async fn work(&mut self, share: &dyn ShareMetadata, work: Work, done: &AtomicU64) {
        let count = match work {
            Work::EachOnce => self.files.len() as u64,
            Work::Random(all) => all / TASKS,
        };
        for step in 0..count {
            let file = match work {
                Work::EachOnce => step as usize,
                Work::Random(_) => self.random.below(self.files.len() as u64) as usize,
            };
            self.flush(share, file).await;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Publishes a new place of a file's bytes.
    async fn flush(&mut self, share: &dyn ShareMetadata, file: usize) {
        let node = self.files[file];
        let (object, place) = self.object(share).await;
        let block = BlockPlace {
            at: 64 + u64::from(place) * (u64::from(BYTES) + 68),
            stored_len: BYTES + 68,
            raw_len: BYTES,
            codec: CODEC_NONE,
            key_id: KeyId::NONE,
        };
        let source = Source::Stored(Stored { object: object.id, block, skip: 0 });
        let pieces = [Piece { offset: 0, len: BYTES.into(), source }];
        let scale = Scale::PRODUCTION;
        let query = Query { map: Some(map::install_query(node, &pieces, &scale)), ..Query::node(node) };
        let view = share.view(&query).await.unwrap();
        let stored = &view.nodes[0];
        let installed = map::install(&view.map, &Facts::of(stored, &scale), &pieces, BYTES.into()).unwrap();
        let now = Timestamp::new(1_800_000_000 + stored.content_seq.0.cast_signed(), 0).unwrap();
        let mut plan = Plan::at(now);
        plan.require(Expectation::Exists(node));
        plan.require(Expectation::ContentVersion { node, version: stored.content_version });
        plan.require(Expectation::ObjectUsable { object: object.id, epoch: EPOCH });
        plan.change(Change::PutObject(object));
        let update = NodeUpdate {
            mtime: TimeChange::Set(now),
            ctime: TimeChange::AtLeast(now),
            change_at_least: Some(ChangeId(stored.change.0 + 1)),
            content_seq: Some(Sequence(stored.content_seq.0 + 1)),
            ..NodeUpdate::default()
        };
        installed.edit.add_to(&mut plan, node, update);
        share.apply(plan, None).await.unwrap();
        *self.used.entry(object.id).or_default() += 1;
        if let Some(old) = self.objects[file].replace(object.id) {
            self.leave(share, old).await;
        }
    }

    /// The object that takes the next bytes, and how many files' bytes are in it.
    async fn object(&mut self, share: &dyn ShareMetadata) -> (ObjectRecord, u32) {
        if let Some((object, files)) = &mut self.open
            && *files < OBJECT_FILES
        {
            *files += 1;
            return (*object, *files - 1);
        }
        let id = ObjectId(
            u128::from(self.random.bits()) << 64 | u128::from(self.random.bits()) << 8 | u128::from(self.number),
        );
        let bytes = u64::from(OBJECT_FILES * (BYTES + 68));
        let made = |state| ObjectRecord { id, state, owner: EPOCH, bytes, place: PlaceId::HOME };
        let mut plan = Plan::at(Timestamp::EPOCH);
        plan.change(Change::PutObject(made(ObjectState::Writing)));
        share.apply(plan, None).await.unwrap();
        let live = made(ObjectState::Live);
        self.open = Some((live, 1));
        (live, 0)
    }

    /// A file's bytes are elsewhere. An object without any goes.
    async fn leave(&mut self, share: &dyn ShareMetadata, id: ObjectId) {
        let left = self.used.get_mut(&id).unwrap();
        *left -= 1;
        let is_open = self.open.is_some_and(|(open, files)| open.id == id && files < OBJECT_FILES);
        if *left > 0 || is_open {
            return;
        }
        self.used.remove(&id);
        let record =
            ObjectRecord { id, state: ObjectState::PendingDelete, owner: EPOCH, bytes: 0, place: PlaceId::HOME };
        let mut plan = Plan::at(Timestamp::EPOCH);
        plan.require(Expectation::Unreferenced(id)).change(Change::PutObject(record));
        share.apply(plan, None).await.unwrap();
        let mut plan = Plan::at(Timestamp::EPOCH);
        plan.require(Expectation::ObjectState { object: id, state: ObjectState::PendingDelete });
        plan.change(Change::DeleteObject(id));
        share.apply(plan, None).await.unwrap();
    }
}
