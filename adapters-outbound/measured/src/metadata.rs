//! A metadata store, counted where it changes something.

use std::{ops::Range, pin::Pin, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Name, Node, NodeId, ObjectId, OpId,
    plan::{Applied, ObjectRecord, Plan, Query, Space, Statistics, UnlinkedReason, View},
};
use dittofs_ports::{
    ApplyError, Counter, Listing, MetadataError, Reference, ShareMetadata, ShareRecord, statistics::StoreCalls,
};

use crate::{ShareMeters, calls::Calls};

/// Counts of a metadata store's methods.
#[derive(Debug)]
pub(crate) struct MetadataCalls {
    apply: Calls<6>,
    allocate: Calls<3>,
}

impl Default for MetadataCalls {
    fn default() -> MetadataCalls {
        let results = ["ok", "conflict", "full", "malformed", "unavailable", "corrupt"];
        MetadataCalls {
            apply: Calls::new("apply", results),
            allocate: Calls::new("allocate", ["ok", "unavailable", "corrupt"]),
        }
    }
}

impl MetadataCalls {
    pub(crate) fn read(&self) -> Vec<StoreCalls> {
        vec![self.apply.read(), self.allocate.read()]
    }
}

fn result_of_apply<T>(outcome: &Result<T, ApplyError>) -> usize {
    match outcome {
        Ok(_) => 0,
        Err(ApplyError::Conflict) => 1,
        Err(ApplyError::Full) => 2,
        Err(ApplyError::Malformed) => 3,
        Err(ApplyError::Unavailable(_)) => 4,
        Err(ApplyError::Corrupt(_)) => 5,
    }
}

fn result_of<T>(outcome: &Result<T, MetadataError>) -> usize {
    match outcome {
        Ok(_) => 0,
        Err(MetadataError::Unavailable(_)) => 1,
        Err(MetadataError::Corrupt(_)) => 2,
    }
}

pub(crate) struct MeasuredMetadata {
    pub(crate) inner: Arc<dyn ShareMetadata>,
    pub(crate) meters: Arc<ShareMeters>,
}

#[async_trait]
impl ShareMetadata for MeasuredMetadata {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        self.inner.record().await
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        self.inner.put_record(record).await
    }

    // Every operation does this: the future is passed on as it is, without another allocation.
    fn view<'a, 'b, 'c>(
        &'a self,
        query: &'b Query,
    ) -> Pin<Box<dyn Future<Output = Result<View, MetadataError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.view(query)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let call = self.inner.apply(plan, op);
        self.meters.metadata.apply.of(&*self.meters.clock, call, result_of_apply).await
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        self.inner.list(directory, space, after, entries_max, records).await
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.inner.name_of(directory, cookie).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let call = self.inner.allocate(counter, count);
        self.meters.metadata.allocate.of(&*self.meters.clock, call, result_of).await
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.inner.unlinked(after, max).await
    }

    async fn clipped(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.inner.clipped(after, max).await
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.inner.objects(after, max).await
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        self.inner.references(object, max).await
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        self.inner.nodes(after, max).await
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.inner.references_after(after, max).await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.inner.statistics().await
    }
}
