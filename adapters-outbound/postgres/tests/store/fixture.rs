//! A share in a database of its own.

use std::{
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind, OpId, ShareId, Timestamp,
    node::Parent,
    plan::{Applied, Change, EntryKey, Expectation, NodeUpdate, Plan, Query, Statistics, View},
};
use dittofs_ports::{ApplyError, MetadataStore, ShareMetadata, ShareRecord};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};

pub(crate) const SHARE: ShareId = ShareId(u64::MAX - 5);

/// The options of a store in a server's database.
pub(crate) fn options(server: &PostgresServer) -> PostgresOptions {
    at_port(server.port())
}

/// The same through something that listens on a port.
pub(crate) fn at_port(port: u16) -> PostgresOptions {
    PostgresOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(port),
        user: Some(USER.to_owned()),
        database: Some(DATABASE.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..PostgresOptions::default()
    }
}

/// A share with a root, and numbers for what is added to it.
#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) store: Arc<PostgresMetadataStore>,
    pub(crate) share: Arc<dyn ShareMetadata>,
    next: Arc<AtomicU64>,
}

impl Fixture {
    pub(crate) async fn new(options: &PostgresOptions) -> Fixture {
        let store = PostgresMetadataStore::open(options).await.unwrap_or_else(|error| panic!("{error}"));
        let record = ShareRecord::new(SHARE, "/export");
        store.create_share(&record, &Node::root(0, 0, 0o755, time(1))).await.unwrap();
        let share = store.share(SHARE).await.unwrap().unwrap();
        let first = share.allocate(dittofs_ports::Counter::Ids, 1_000_000).await.unwrap().start;
        Fixture { store: Arc::new(store), share, next: Arc::new(AtomicU64::new(first)) }
    }

    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A plan that adds a node under a name, and the node.
    pub(crate) fn addition(&self, directory: NodeId, text: &str, kind: NodeKind) -> (Plan, NodeId) {
        let (id, cookie) = (NodeId(self.number()), Cookie(self.number()));
        let parent = Parent { directory, cookie };
        let mut plan = Plan::at(time(2));
        plan.require(Expectation::EntryAbsent(child(directory, text))).require(Expectation::Linked(directory));
        plan.require(Expectation::PermissionVersion { node: directory, version: 0 });
        plan.change(Change::InsertNode(Box::new(Node { mode: 0o755, ..Node::bare(id, kind, parent, time(2)) })));
        plan.change(Change::InsertEntry { key: child(directory, text), node: id, cookie });
        plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
        plan.change(Change::Count(Statistics { bytes: 0, nodes: 1 }));
        (plan, id)
    }

    pub(crate) async fn add(&self, directory: NodeId, text: &str, kind: NodeKind) -> NodeId {
        let (plan, id) = self.addition(directory, text, kind);
        self.share.apply(plan, None).await.unwrap();
        id
    }

    /// A plan that takes a name and its node away.
    pub(crate) fn removal(directory: NodeId, text: &str, id: NodeId) -> Plan {
        let mut plan = Plan::at(time(3));
        plan.require(Expectation::LinksAre { node: id, links: 1 });
        plan.change(Change::DeleteEntry(child(directory, text))).change(Change::DeleteNode(id));
        plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
        plan.change(Change::Count(Statistics { bytes: 0, nodes: -1 }));
        plan
    }

    /// A plan that gives a node of a directory another name there.
    pub(crate) fn renaming(directory: NodeId, (from, to): (&str, &str), node: NodeId, cookie: Cookie) -> Plan {
        let (from, to) = (child(directory, from), child(directory, to));
        let mut plan = Plan::at(time(3));
        plan.require(Expectation::EntryIs { key: from.clone(), node, cookie });
        plan.require(Expectation::EntryAbsent(to.clone()));
        plan.change(Change::DeleteEntry(from)).change(Change::InsertEntry { key: to, node, cookie });
        plan.change(Change::UpdateNode(node, NodeUpdate::changed()));
        plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
        plan
    }

    /// A plan that gives a directory, the last that was added, another parent.
    pub(crate) fn moving(from: (NodeId, &str), to: (NodeId, &str), node: NodeId) -> Plan {
        let (old, new) = (child(from.0, from.1), child(to.0, to.1));
        let cookie = Cookie(node.0 + 1);
        let mut plan = Plan::at(time(3));
        plan.require(Expectation::EntryIs { key: old.clone(), node, cookie });
        plan.require(Expectation::EntryAbsent(new.clone())).require(Expectation::Linked(to.0));
        plan.change(Change::DeleteEntry(old)).change(Change::InsertEntry { key: new, node, cookie });
        let parent = Some(Parent { directory: to.0, cookie });
        plan.change(Change::UpdateNode(node, NodeUpdate { parent, ..NodeUpdate::changed() }));
        for directory in [from.0, to.0] {
            plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
        }
        plan.change(Change::RaiseTopology);
        plan
    }

    pub(crate) async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        self.share.apply(plan, op).await
    }

    pub(crate) async fn view(&self, query: Query) -> View {
        self.share.view(&query).await.unwrap()
    }
}

pub(crate) fn child(directory: NodeId, text: &str) -> EntryKey {
    EntryKey::child(directory, &Name::new(text.as_bytes()).unwrap())
}

/// A time, in seconds.
pub(crate) fn time(seconds: u64) -> Timestamp {
    Timestamp::EPOCH.plus_ms(1_000 * seconds)
}
