//! A content store, counted.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, counters::Counter};
use dittofs_ports::{ContentError, ContentStore, statistics::StoreCalls};

use crate::{ShareMeters, calls::Calls};

const RESULTS: [&str; 6] = ["ok", "not_found", "exists", "full", "unavailable", "corrupt"];

/// Counts of a content store's methods.
#[derive(Debug)]
pub(crate) struct ContentCalls {
    put: Calls<6>,
    get: Calls<6>,
    delete: Calls<6>,
    list: Calls<6>,
    pub(crate) bytes_written: Counter,
    pub(crate) bytes_read: Counter,
}

impl Default for ContentCalls {
    fn default() -> ContentCalls {
        ContentCalls {
            put: Calls::new("put", RESULTS),
            get: Calls::new("get", RESULTS),
            delete: Calls::new("delete", RESULTS),
            list: Calls::new("list", RESULTS),
            bytes_written: Counter::default(),
            bytes_read: Counter::default(),
        }
    }
}

impl ContentCalls {
    pub(crate) fn read(&self) -> Vec<StoreCalls> {
        [&self.put, &self.get, &self.delete, &self.list].map(Calls::read).into()
    }
}

fn result_of<T>(outcome: &Result<T, ContentError>) -> usize {
    match outcome {
        Ok(_) => 0,
        Err(ContentError::NotFound) => 1,
        Err(ContentError::Exists) => 2,
        Err(ContentError::Full) => 3,
        Err(ContentError::Unavailable(_)) => 4,
        Err(ContentError::Corrupt(_)) => 5,
    }
}

fn length(parts: &[Bytes]) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
}

pub(crate) struct MeasuredContent {
    pub(crate) inner: Arc<dyn ContentStore>,
    pub(crate) meters: Arc<ShareMeters>,
}

impl MeasuredContent {
    async fn put_as(
        &self,
        bytes: u64,
        putting: impl Future<Output = Result<(), ContentError>> + Send,
    ) -> Result<(), ContentError> {
        let ContentCalls { put, bytes_written, .. } = &self.meters.content;
        let outcome = put.of(&*self.meters.clock, putting, result_of).await;
        if outcome.is_ok() {
            bytes_written.add(bytes);
        }
        outcome
    }
}

#[async_trait]
impl ContentStore for MeasuredContent {
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, capacity, discard);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let bytes = length(&parts);
        self.put_as(bytes, self.inner.put(share, object, parts)).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let bytes = length(&parts);
        self.put_as(bytes, self.inner.put_to_free(share, object, parts)).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        let ContentCalls { get, bytes_read, .. } = &self.meters.content;
        let outcome = get.of(&*self.meters.clock, self.inner.get(share, object, range), result_of).await;
        if let Ok(parts) = &outcome {
            bytes_read.add(length(parts));
        }
        outcome
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        let call = self.inner.delete(share, object);
        self.meters.content.delete.of(&*self.meters.clock, call, result_of).await
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        let call = self.inner.list(share, after, max);
        self.meters.content.list.of(&*self.meters.clock, call, result_of).await
    }
}
