//! A metadata store in which rows can be damaged: who reads one gets an error, as from a store on a disk.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    Cookie, Epoch, Name, Node, NodeId, ObjectId, OpId, ShareId,
    plan::{Applied, Expectation, ObjectRecord, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{
    Appended, ApplyError, ContentError, ContentStore, Counter, Journal, JournalError, Listing, MetadataError,
    MetadataStore, Record, ShareMetadata, ShareRecord, ShareSnapshot,
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
    /// Directories with damaged rows among their entries.
    pub(crate) listings: Mutex<BTreeSet<NodeId>>,
    /// Objects whose references can't be read.
    pub(crate) objects: Mutex<BTreeSet<ObjectId>>,
    /// A bug: what is damaged in one row is reported as if the store were away.
    pub(crate) is_reported_as_an_outage: AtomicBool,
    /// A bug: copies in the journal have numbers of their own.
    pub(crate) copies_are_renumbered: AtomicBool,
    /// A sync that nobody waits for loses the next copy in the journal.
    pub(crate) loses_a_copy: AtomicBool,
    /// Copies that were lost.
    pub(crate) lost_copies: AtomicU64,
}

impl Damage {
    pub(crate) fn repair(&self) {
        self.pages.lock().clear();
        self.nodes.lock().clear();
        self.listings.lock().clear();
        self.objects.lock().clear();
    }

    fn nodes_are_whole(&self, nodes: impl IntoIterator<Item = NodeId>) -> Result<(), MetadataError> {
        let damaged = self.nodes.lock();
        match nodes.into_iter().any(|node| damaged.contains(&node)) {
            true => Err(MetadataError::Corrupt("the row of a node is damaged".into())),
            false => Ok(()),
        }
    }

    fn listing_is_whole(&self, directory: NodeId) -> Result<(), MetadataError> {
        match self.listings.lock().contains(&directory) {
            true => Err(MetadataError::Corrupt("a row of the listing is damaged".into())),
            false => Ok(()),
        }
    }

    fn read(&self, query: &Query) -> Result<(), MetadataError> {
        let nodes = self.nodes.lock();
        let is_node = query.nodes.iter().any(|node| nodes.contains(node));
        let is_page = query.map.as_ref().is_some_and(|map| {
            let range = (map.node, map.first_page)..=(map.node, map.last_page);
            self.pages.lock().range(range).next().is_some()
        });
        match is_node || is_page {
            true if self.is_reported_as_an_outage.load(Ordering::Relaxed) => {
                Err(MetadataError::Unavailable("a row is damaged".into()))
            }
            true => Err(MetadataError::Corrupt("the row is damaged".into())),
            false => Ok(()),
        }
    }
}

/// A journal with a bug, if that is asked for.
pub(crate) struct RiggedJournal<J> {
    pub(crate) journal: J,
    pub(crate) damage: Arc<Damage>,
}

#[async_trait]
impl<J: Journal> Journal for RiggedJournal<J> {
    dittofs_ports::forward!(Journal of journal: survives, identity, note_start, sync, lost, read_now, read, recover,
        release, usage);

    async fn append(&self, record: Record) -> Result<Appended, JournalError> {
        let copy_of = record.copy_of.filter(|_| !self.damage.copies_are_renumbered.load(Ordering::Relaxed));
        let appended = self.journal.append(Record { copy_of, ..record }).await?;
        if copy_of.is_some() && self.damage.loses_a_copy.swap(false, Ordering::Relaxed) {
            self.journal.release(&[appended]).await?;
            self.damage.lost_copies.fetch_add(1, Ordering::Relaxed);
        }
        Ok(appended)
    }

    fn failures(&self) -> u64 {
        self.journal.failures() + self.damage.lost_copies.load(Ordering::Relaxed)
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
        restore_share, users);

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
        let view = self.share.view(query).await?;
        let found = view.entries.iter().flatten().map(|found| found.node.id);
        self.damage.nodes_are_whole(found)?;
        Ok(view)
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
        self.damage.listing_is_whole(directory)?;
        let listing = self.share.list(directory, space, after, entries_max, records).await?;
        if records {
            self.damage.nodes_are_whole(listing.entries.iter().map(|entry| entry.node))?;
        }
        Ok(listing)
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.damage.listing_is_whole(directory)?;
        self.share.name_of(directory, cookie).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        self.share.allocate(counter, count).await
    }

    async fn has_ended(&self, epoch: Epoch) -> Result<bool, MetadataError> {
        self.share.has_ended(epoch).await
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.share.unlinked(after, max).await
    }

    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.share.pending_truncations(after, max).await
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
        self.damage.nodes_are_whole(nodes.iter().map(|node| node.id))?;
        Ok(nodes)
    }

    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.share.node_ids(after, max).await
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.share.references_after(after, max).await
    }

    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError> {
        self.share.xattr_bytes(after, max).await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.share.statistics().await
    }

    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        self.share.snapshot().await
    }
}
