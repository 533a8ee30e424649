//! Counts what goes between a share and its stores: decorators around the ports, of which neither side knows.
//!
//! This crate does not know: what the stores are, who reads the numbers. What every metadata operation does, reading
//! metadata, is passed on uncounted; see `docs/decisions/0021-metrics.md`.

mod cache;
mod calls;
mod content;
mod journal;
mod metadata;

use std::sync::Arc;

use dittofs_domain::counters::Counter;
use dittofs_ports::{
    BlockCache, Clock, ContentStore, Journal, ShareMetadata,
    statistics::{StoreCounts, StoreStatistics},
};

use cache::MeasuredCache;
use calls::Calls;
use content::{ContentCalls, MeasuredContent};
use journal::MeasuredJournal;
use metadata::{MeasuredMetadata, MetadataCalls};

/// The counters of one share's stores.
pub struct ShareMeters {
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    metadata: MetadataCalls,
    content: ContentCalls,
    syncs: Calls<4>,
    records: Counter,
    record_bytes: Counter,
    hits: Counter,
    misses: Counter,
}

impl ShareMeters {
    /// Counters for a share with this journal.
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Arc<ShareMeters> {
        Arc::new(ShareMeters {
            clock,
            journal,
            metadata: MetadataCalls::default(),
            content: ContentCalls::default(),
            syncs: Calls::new("sync", ["ok", "sync_failed", "unavailable", "other"]),
            records: Counter::default(),
            record_bytes: Counter::default(),
            hits: Counter::default(),
            misses: Counter::default(),
        })
    }

    /// The journal, counted.
    pub fn journal(self: &Arc<Self>) -> Arc<dyn Journal> {
        Arc::new(MeasuredJournal { inner: Arc::clone(&self.journal), meters: Arc::clone(self) })
    }

    /// A metadata store, counted.
    pub fn metadata(self: &Arc<Self>, inner: Arc<dyn ShareMetadata>) -> Arc<dyn ShareMetadata> {
        Arc::new(MeasuredMetadata { inner, meters: Arc::clone(self) })
    }

    /// A content store, counted.
    pub fn content(self: &Arc<Self>, inner: Arc<dyn ContentStore>) -> Arc<dyn ContentStore> {
        Arc::new(MeasuredContent { inner, meters: Arc::clone(self) })
    }

    /// A cache, counted.
    pub fn cache(self: &Arc<Self>, inner: Arc<dyn BlockCache>) -> Arc<dyn BlockCache> {
        Arc::new(MeasuredCache { inner, meters: Arc::clone(self) })
    }
}

impl StoreStatistics for ShareMeters {
    fn stores(&self) -> StoreCounts {
        StoreCounts {
            metadata: self.metadata.read(),
            content: self.content.read(),
            content_bytes_written: self.content.bytes_written.read(),
            content_bytes_read: self.content.bytes_read.read(),
            journal_syncs: self.syncs.read(),
            journal_records: self.records.read(),
            journal_bytes: self.record_bytes.read(),
            journal_usage: self.journal.usage(),
            journal_lost: self.journal.lost().len() as u64,
            cache_hits: self.hits.read(),
            cache_misses: self.misses.read(),
        }
    }
}

#[cfg(test)]
mod tests;
