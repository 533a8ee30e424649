//! The store alone, beside what a statement costs over the same line.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind, OpId, ShareId, Timestamp,
    node::Parent,
    plan::{Change, EntryKey, Expectation, NodeUpdate, Plan, Query, Statistics},
};
use dittofs_ports::{Counter, MetadataStore, ShareMetadata, ShareRecord};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, Plain, PostgresServer, USER};
use tokio::runtime::Runtime;

use crate::{CLIENTS, Figures, Options, line::Line};

const SHARE: ShareId = ShareId(1);

pub(crate) struct Rig<'a> {
    database: &'a PostgresServer,
    runtime: Runtime,
    share: Arc<dyn ShareMetadata>,
    plain: tokio::sync::Mutex<Plain>,
    first: u64,
    calls: u64,
    _store: PostgresMetadataStore,
}

fn child(directory: NodeId, text: &str) -> EntryKey {
    EntryKey::child(directory, &Name::new(text.as_bytes()).unwrap())
}

fn addition(directory: NodeId, text: &str, kind: NodeKind, number: u64) -> Plan {
    let (id, cookie) = (NodeId(number), Cookie(number + 1));
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.require(Expectation::EntryAbsent(child(directory, text))).require(Expectation::Linked(directory));
    plan.require(Expectation::PermissionVersion { node: directory, version: 0 });
    let node = Node::bare(id, kind, Parent { directory, cookie }, Timestamp::EPOCH);
    plan.change(Change::InsertNode(Box::new(node)));
    plan.change(Change::InsertEntry { key: child(directory, text), node: id, cookie });
    plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
    plan.change(Change::Count(Statistics { bytes: 0, nodes: 1 }));
    plan
}

async fn create(share: &dyn ShareMetadata, directory: NodeId, text: &str, number: u64) {
    let op = Some(OpId(u128::from(number)));
    share.view(&Query::child(directory, child(directory, text)).asking(op)).await.unwrap();
    share.apply(addition(directory, text, NodeKind::File, number), op).await.unwrap();
}

impl<'a> Rig<'a> {
    pub(crate) fn new(options: &Options, database: &'a PostgresServer, line: &Line) -> Rig<'a> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store_options = PostgresOptions {
            host: Some("127.0.0.1".to_owned()),
            port: Some(line.port),
            user: Some(USER.to_owned()),
            database: Some(DATABASE.to_owned()),
            password: Some(Secret::new(PASSWORD)),
            ..PostgresOptions::default()
        };
        let (store, share, plain, first) = runtime.block_on(async {
            let store = PostgresMetadataStore::open(&store_options).await.unwrap();
            let root = Node::root(0, 0, 0o755, Timestamp::EPOCH);
            store.create_share(&ShareRecord::new(SHARE, "/port"), &root).await.unwrap();
            let share = store.share(SHARE).await.unwrap().unwrap();
            let first = share.allocate(Counter::Ids, 1 << 32).await.unwrap().start;
            let mut plain = Plain::connect_by(database, line.port).await;
            plain.carry_out("SET synchronous_commit = on; CREATE TABLE public.plain (id int8)").await;
            (store, share, tokio::sync::Mutex::new(plain), first)
        });
        Rig { database, runtime, share, plain, first, calls: options.calls, _store: store }
    }

    pub(crate) fn round(&self, round: usize, figures: &mut Figures) {
        let first = self.first + (round as u64) * (1 << 24);
        let directory = NodeId(first);
        self.runtime.block_on(async {
            let plan = addition(NodeId::ROOT, &format!("d{round}"), NodeKind::Directory, first);
            self.share.apply(plan, None).await.unwrap();
            self.time("SELECT 1", figures, |_| self.send("SELECT 1")).await;
            self.time("INSERT", figures, |_| self.send("INSERT INTO public.plain VALUES (1)")).await;
            let made = self.time("create", figures, |call| async move {
                create(&*self.share, directory, &format!("f{call}"), first + 2 * call + 2).await;
            });
            let processor = made.await;
            figures.add("database for create", processor);
            let look_up = Query::child(directory, child(directory, "f7"));
            let found = self.time("look-up", figures, |_| async { drop(self.share.view(&look_up).await.unwrap()) });
            let processor = found.await;
            figures.add("database for look-up", processor);
            figures.add("creates a second", self.together(directory, first + (1 << 20)).await);
        });
    }

    async fn send(&self, text: &'static str) {
        self.plain.lock().await.prepared(text).await;
    }

    /// Notes the time of a call, in microseconds; returns the processor time of the database for it.
    async fn time<F: Future<Output = ()>>(
        &self,
        name: &'static str,
        figures: &mut Figures,
        call: impl Fn(u64) -> F,
    ) -> f64 {
        // The first one makes what later ones find: a connection's statement, the database's plan.
        call(1 << 18).await;
        let (began, ticks) = (Instant::now(), self.database.processor_ticks());
        for number in 0..self.calls {
            call(number).await;
        }
        let each = |sum: Duration| sum.as_secs_f64() * 1e6 / self.calls as f64;
        figures.add(name, each(began.elapsed()));
        each(Duration::from_millis(10 * (self.database.processor_ticks() - ticks)))
    }

    /// Creates of many clients a second.
    async fn together(&self, directory: NodeId, first: u64) -> f64 {
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (share, calls) = (Arc::clone(&self.share), self.calls);
            tasks.spawn(async move {
                for call in 0..calls {
                    let number = first + 2 * (client * calls + call);
                    create(&*share, directory, &format!("c{client}-{call}"), number).await;
                }
            });
        }
        tasks.join_all().await;
        (CLIENTS * self.calls) as f64 / began.elapsed().as_secs_f64()
    }
}
