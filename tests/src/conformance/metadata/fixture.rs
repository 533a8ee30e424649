//! A share to try things on, and plain plans to set it up.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dittofs_domain::{
    Cookie, HandleKey, Name, Node, NodeId, NodeKind, ShareId, Timestamp,
    node::Parent,
    plan::{Applied, Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, Plan, Query, Statistics, View},
};
use dittofs_ports::{ApplyError, Counter, MetadataStore, ShareMetadata, ShareRecord};

/// Numbers that each fixture takes from its share's allocator.
const NUMBERS: u64 = 1 << 17;

static SHARES: AtomicU64 = AtomicU64::new(1);

/// A new share in a store.
#[derive(Clone)]
pub(super) struct Fixture {
    pub(super) share: Arc<dyn ShareMetadata>,
    pub(super) id: ShareId,
    pub(super) numbers: Arc<Numbers>,
}

/// Numbers from the share's allocator, so that what a case makes is the same in every share and store.
pub(super) struct Numbers {
    pub(super) first: u64,
    next: AtomicU64,
}

impl Fixture {
    pub(super) async fn new(store: &Arc<dyn MetadataStore>) -> Fixture {
        let record = share_record(SHARES.fetch_add(1, Ordering::Relaxed));
        store.create_share(&record, &root()).await.unwrap();
        let share = store.share(record.id).await.unwrap().expect("the share was just made");
        let first = share.allocate(Counter::Ids, NUMBERS).await.unwrap().start;
        let numbers = Arc::new(Numbers { first, next: AtomicU64::new(first) });
        Fixture { share, id: record.id, numbers }
    }

    pub(super) fn number(&self) -> u64 {
        let number = self.numbers.next.fetch_add(1, Ordering::Relaxed);
        assert!(number < self.numbers.first + NUMBERS, "a case used up its numbers");
        number
    }

    /// How many numbers are used.
    pub(super) fn used(&self) -> u64 {
        self.numbers.next.load(Ordering::Relaxed) - self.numbers.first
    }

    pub(super) async fn try_apply(&self, plan: Plan) -> Result<Applied, ApplyError> {
        self.share.apply(plan, None).await
    }

    pub(super) async fn apply(&self, plan: Plan) -> Applied {
        self.try_apply(plan).await.unwrap()
    }

    /// Applies one change without an expectation.
    pub(super) async fn change(&self, change: Change) -> Applied {
        let mut plan = Plan::at(time(1_000));
        plan.change(change);
        self.apply(plan).await
    }

    /// Adds an entry with a new node.
    pub(super) async fn add(&self, directory: NodeId, text: &str, kind: NodeKind) -> NodeId {
        let (plan, id) = self.addition(directory, text, kind);
        self.apply(plan).await;
        id
    }

    /// The plan of [`Fixture::add`].
    pub(super) fn addition(&self, directory: NodeId, text: &str, kind: NodeKind) -> (Plan, NodeId) {
        let (id, cookie) = (NodeId(self.number()), Cookie(self.number()));
        let key = child(directory, text);
        let mut plan = Plan::at(time(1_000));
        plan.require(Expectation::EntryAbsent(key.clone())).require(Expectation::Linked(directory));
        plan.change(Change::InsertNode(Box::new(node(id, kind, Parent { directory, cookie }))));
        plan.change(Change::InsertEntry { key, node: id, cookie });
        let links = if kind == NodeKind::Directory { LinkChange::Add(1) } else { LinkChange::Keep };
        plan.change(Change::UpdateNode(directory, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
        plan.change(Change::Count(Statistics { nodes: 1, bytes: 0 }));
        (plan, id)
    }

    pub(super) async fn view(&self, query: Query) -> View {
        self.share.view(&query).await.unwrap()
    }

    pub(super) async fn node(&self, id: NodeId) -> Option<Arc<Node>> {
        self.view(Query::node(id)).await.nodes.first().cloned()
    }

    pub(super) async fn entry(&self, directory: NodeId, text: &str) -> Option<Found> {
        let view = self.view(Query::child(directory, child(directory, text))).await;
        view.entry(0).cloned()
    }
}

pub(super) fn share_record(number: u64) -> ShareRecord {
    let id = ShareId(0xD177_0000_0000_0000 | number);
    ShareRecord {
        handle_key: HandleKey([number as u8; 16]),
        content_owner: u128::MAX - u128::from(number),
        journal: u128::from(number) << 64,
        journal_incarnation: 1,
        ..ShareRecord::new(id, format!("/share-{number}"))
    }
}

pub(super) fn root() -> Node {
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie::START };
    Node { links: 2, mode: 0o777, ..node(NodeId::ROOT, NodeKind::Directory, parent) }
}

pub(super) fn node(id: NodeId, kind: NodeKind, parent: Parent) -> Node {
    let mode = if kind == NodeKind::Directory { 0o777 } else { 0o666 };
    let target = (kind == NodeKind::Symlink).then(|| Arc::from(*b"target"));
    Node { mode, target, ..Node::bare(id, kind, parent, time(900)) }
}

pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0).unwrap()
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

pub(super) fn child(directory: NodeId, text: &str) -> EntryKey {
    EntryKey::child(directory, &name(text))
}
