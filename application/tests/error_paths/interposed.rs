//! A metadata store in which something happens right after a call, before the caller gets its answer, or right before it.

use std::{future::Future, ops::Range, pin::Pin, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Name, Node, NodeId, ObjectId, OpId,
    plan::{Applied, ObjectRecord, Plan, Query, Space, Statistics, UnlinkedReason, View},
};
use dittofs_ports::{
    ApplyError, Counter, Listing, MetadataError, Reference, ShareMetadata, ShareRecord, mocks::MockShareMetadata,
};
use parking_lot::Mutex;

/// After which call it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// After it was asked for, and before it is made.
    ViewIsAskedFor,
    View,
    List,
    Apply,
}

type Event = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What happens next, once.
#[derive(Default)]
pub(crate) struct Next(Mutex<Option<(After, Event)>>);

impl Next {
    pub(crate) fn set(&self, after: After, event: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock() = Some((after, Box::pin(event)));
    }

    /// Whether it has happened.
    pub(crate) fn is_over(&self) -> bool {
        self.0.lock().is_none()
    }

    async fn happen(&self, after: After) {
        // Taken out before it runs: it makes calls of its own.
        let event = self.0.lock().take_if(|(when, _)| *when == after);
        if let Some((_, event)) = event {
            event.await;
        }
    }
}

pub(crate) struct Interposed {
    pub(crate) store: MockShareMetadata,
    pub(crate) next: Arc<Next>,
}

#[async_trait]
impl ShareMetadata for Interposed {
    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        self.next.happen(After::ViewIsAskedFor).await;
        let view = self.store.view(query).await;
        self.next.happen(After::View).await;
        view
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        let applied = self.store.apply(plan, op).await;
        self.next.happen(After::Apply).await;
        applied
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        let listing = self.store.list(directory, space, after, entries_max, records).await;
        self.next.happen(After::List).await;
        listing
    }

    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        self.store.record().await
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        self.store.put_record(record).await
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        self.store.name_of(directory, cookie).await
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        self.store.allocate(counter, count).await
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        self.store.unlinked(after, max).await
    }

    async fn clipped(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        self.store.clipped(after, max).await
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        self.store.objects(after, max).await
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        self.store.references(object, max).await
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        self.store.nodes(after, max).await
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        self.store.references_after(after, max).await
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        self.store.statistics().await
    }
}
