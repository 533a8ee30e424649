//! A metadata store in which rows can be damaged: who reads one is told so, as by a store on a disk.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    Cookie, Name, Node, NodeId, ObjectId, OpId, ShareId,
    plan::{Applied, Expectation, ObjectRecord, Plan, Query, Space, Statistics, UnlinkedReason, View},
};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{
    ApplyError, ContentError, ContentStore, Counter, Listing, MetadataError, MetadataStore, Reference, ShareMetadata,
    ShareRecord, ShareSnapshot,
};
use parking_lot::Mutex;

/// Content in memory, of what is in a journal on a disk: that gives its segments back only once nobody has their bytes.
#[derive(Default)]
pub(crate) struct CopyingStore {
    store: MemoryContentStore,
}

#[async_trait]
impl ContentStore for CopyingStore {
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, shares, request_max, put_to_free, capacity, discard,
        get, delete, list);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.store.put(share, object, parts.iter().map(|part| Bytes::copy_from_slice(part)).collect()).await
    }
}

/// Which rows are damaged.
#[derive(Default)]
pub(crate) struct Damage {
    /// Pages of maps.
    pub(crate) pages: Mutex<BTreeSet<(NodeId, u64)>>,
    /// Nodes.
    pub(crate) nodes: Mutex<BTreeSet<NodeId>>,
    /// Objects whose references can't be read.
    pub(crate) objects: Mutex<BTreeSet<ObjectId>>,
    /// A bug: what is damaged in one row is told as if the store were away.
    pub(crate) is_told_of_the_store: AtomicBool,
}

impl Damage {
    pub(crate) fn is_mended(&self) {
        self.pages.lock().clear();
        self.nodes.lock().clear();
        self.objects.lock().clear();
    }

    fn read(&self, query: &Query) -> Result<(), MetadataError> {
        let nodes = self.nodes.lock();
        let is_node = query.nodes.iter().any(|node| nodes.contains(node));
        let is_page = query.map.as_ref().is_some_and(|map| {
            let range = (map.node, map.first_page)..=(map.node, map.last_page);
            self.pages.lock().range(range).next().is_some()
        });
        match is_node || is_page {
            true if self.is_told_of_the_store.load(Ordering::Relaxed) => {
                Err(MetadataError::Unavailable("a row is damaged".into()))
            }
            true => Err(MetadataError::Corrupt("the row is damaged".into())),
            false => Ok(()),
        }
    }
}

pub(crate) struct RiggedStore {
    pub(crate) store: Arc<dyn MetadataStore>,
    pub(crate) damage: Arc<Damage>,
}

struct RiggedShare {
    share: Arc<dyn ShareMetadata>,
    damage: Arc<Damage>,
}

#[async_trait]
impl MetadataStore for RiggedStore {
    dittofs_ports::forward!(MetadataStore of store: survives, shares, create_share, remove_share, restore_rows,
        restore_share);

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let share = self.store.share(id).await?;
        let rigged =
            |share| Arc::new(RiggedShare { share, damage: Arc::clone(&self.damage) }) as Arc<dyn ShareMetadata>;
        Ok(share.map(rigged))
    }
}

#[async_trait]
impl ShareMetadata for RiggedShare {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        self.share.record().await
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        self.share.put_record(record).await
    }

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        self.damage.read(query)?;
        self.share.view(query).await
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let unreferenced = plan.expectations.iter().find_map(|expectation| match expectation {
            Expectation::Unreferenced(object) => Some(*object),
            _ => None,
        });
        if unreferenced.is_some_and(|object| self.damage.objects.lock().contains(&object)) {
            return Err(ApplyError::Corrupt("a reference is damaged".into()));
        }
        self.share.apply(plan, op).await
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        self.share.list(directory, space, after, entries_max, records).await
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.share.name_of(directory, cookie).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        self.share.allocate(counter, count).await
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.share.unlinked(after, max).await
    }

    async fn clipped(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.share.clipped(after, max).await
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.share.objects(after, max).await
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        if self.damage.objects.lock().contains(&object) {
            return Err(MetadataError::Corrupt("a reference is damaged".into()));
        }
        self.share.references(object, max).await
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        let nodes = self.share.nodes(after, max).await?;
        if nodes.iter().any(|node| self.damage.nodes.lock().contains(&node.id)) {
            return Err(MetadataError::Corrupt("the row is damaged".into()));
        }
        Ok(nodes)
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.share.references_after(after, max).await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.share.statistics().await
    }

    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        self.share.snapshot().await
    }
}
