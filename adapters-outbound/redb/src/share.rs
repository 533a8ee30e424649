//! One share.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Epoch, Name, Node, NodeId, ObjectId, OpId, ShareId,
    plan::{Applied, ObjectRecord, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
};
use dittofs_ports::{ApplyError, Counter, Listing, MetadataError, ShareMetadata, ShareRecord, ShareSnapshot};

use crate::{
    share_snapshot::RedbSnapshot,
    store::{Connection, writer_gone},
    view::Rows,
    writer::Request,
};

/// A share in the database.
pub(crate) struct RedbShare {
    store: Arc<Connection>,
    id: ShareId,
}

impl RedbShare {
    pub(crate) fn new(store: Arc<Connection>, id: ShareId) -> RedbShare {
        RedbShare { store, id }
    }
}

#[async_trait]
impl ShareMetadata for RedbShare {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        let record = self.store.read(|tables| tables.share(self.id))?;
        record.ok_or_else(|| MetadataError::Corrupt(format!("share {} has no row", self.id).into()))
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        if record.id != self.id {
            return Err(MetadataError::Corrupt("the row is another share's".into()));
        }
        let record = Box::new(record.clone());
        self.store.ask(|answer| Request::PutRecord { record, answer }, writer_gone).await
    }

    /// `query.lock` changes nothing: a plan conflicts only with plans that were before it in the writer's queue, of
    /// which one at least went through.
    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        self.store.view(self.id, query)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        // It may have gone while it worked on the plan.
        let gone = || ApplyError::Unknown("the database's writer has gone".into());
        let plan = Box::new(plan);
        self.store.ask(|answer| Request::Apply { share: self.id, plan, op, answer }, gone).await
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        self.store.read_through(|rows| {
            let record = |id| if records { rows.node(self.id, id) } else { Ok(None) };
            rows.tables.list(self.id, directory, space, after, entries_max, record)
        })
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.store.read(|tables| tables.name_of(self.id, directory, cookie))
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let share = self.id;
        self.store.ask(|answer| Request::Allocate { share, counter, count, answer }, writer_gone).await
    }

    /// One process has the share: whoever had it before has ended.
    async fn has_ended(&self, _: Epoch) -> Result<bool, MetadataError> {
        Ok(true)
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.store.read(|tables| tables.unlinked(self.id, after, max))
    }

    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.store.read(|tables| tables.pending_truncations(self.id, after, max))
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.store.read(|tables| tables.objects(self.id, after, max))
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        self.store.read(|tables| tables.references(self.id, object, max))
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        self.store.read(|tables| tables.nodes(self.id, after, max))
    }

    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.store.read(|tables| tables.node_ids(self.id, after, max))
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.store.read(|tables| tables.references_after(self.id, after, max))
    }

    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError> {
        self.store.read(|tables| tables.xattr_bytes(self.id, after, max))
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.store.read(|tables| tables.statistics(self.id))
    }

    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        Ok(Some(Arc::new(RedbSnapshot::new(Arc::clone(&self.store), self.id)?)))
    }
}
