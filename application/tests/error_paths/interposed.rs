//! A metadata store in which something happens right after a call, before the caller gets its answer, or right before it.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, NodeId, OpId,
    plan::{Applied, Plan, Query, Space, View},
};
use dittofs_ports::{ApplyError, Listing, MetadataError, ShareMetadata, mocks::MockShareMetadata};
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

/// The next event, which happens once.
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
    dittofs_ports::forward!(
        ShareMetadata of store:
        record, put_record, name_of, allocate, has_ended, unlinked, pending_truncations, objects, references, nodes, node_ids,
        references_after, xattr_bytes, statistics, snapshot
    );

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
}
