//! Bytes that are written but not flushed: in the journal, and in an index per node.

mod aside;
mod lost;
mod moving;
mod recovery;
mod room;
mod sync;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    Node, NodeId,
    content::slices::Slice,
    error::{FsError, FsResult},
};
use dittofs_ports::{Appended, Journal, JournalError, JournalUsage, Record, ShareMetadata};
use tokio::sync::Notify;

use crate::{
    admission::{Admission, Credits},
    volume::{
        VolumeLimits, ledger::Claim, node_locks::NodeLock, nodes::Nodes, numbers::Numbers, pending::Written,
        share::Share,
    },
};
pub(super) use aside::{Aside, FAILURES_MAX};
use lost::Failures;
pub use recovery::Recovered;
pub(super) use room::Full;

/// A share's unflushed bytes.
pub(super) struct WriteBack {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    numbers: Arc<Numbers>,
    metadata: Arc<dyn ShareMetadata>,
    journal: Arc<dyn Journal>,
    admission: Admission,
    failures: Failures,
    /// The journal has given records up, or the reaper has freed something.
    room: Notify,
    aside: Aside,
    full: Full,
}

impl WriteBack {
    pub(super) fn new(
        share: Arc<Share>,
        nodes: Arc<Nodes>,
        numbers: Arc<Numbers>,
        (metadata, journal): (Arc<dyn ShareMetadata>, Arc<dyn Journal>),
        limits: &VolumeLimits,
    ) -> WriteBack {
        let patience = Duration::from_millis(limits.write_wait_ms_max);
        WriteBack {
            failures: Failures::new(share.clone(), nodes.clone(), journal.clone()),
            share,
            nodes,
            numbers,
            metadata,
            journal,
            admission: Admission::new(limits.unflushed_bytes_max, limits.record_bytes, patience),
            room: Notify::new(),
            aside: Aside::default(),
            full: Full::default(),
        }
    }

    /// Admits bytes to the share's memory and journal.
    pub(super) fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The files whose bytes can't be published.
    pub(super) fn set_aside(&self) -> &Aside {
        &self.aside
    }

    /// Which disks are full.
    pub(super) fn full(&self) -> &Full {
        &self.full
    }

    /// How much of the journal is used.
    pub(super) fn journal_usage(&self) -> JournalUsage {
        self.journal.usage()
    }

    pub(super) async fn slice(&self, slice: &Slice, length: u32) -> FsResult<Option<Bytes>> {
        if let Some(bytes) = self.journal.read_now(slice.place, slice.skip, length) {
            return Ok(Some(bytes));
        }
        match self.journal.read(slice.place, slice.skip, length).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(JournalError::NotFound) => Ok(None),
            Err(error) => Err(self.journal_failed(&error)),
        }
    }

    /// Drops what is unflushed of a node that is gone for good.
    pub(super) async fn discard_pending(&self, node: NodeId) {
        let records = self.nodes.pending().take(node);
        self.release(records).await;
        self.aside.forget(node);
    }

    /// Gives records of the journal up.
    pub(super) async fn release(&self, records: Vec<Appended>) {
        if records.is_empty() {
            return;
        }
        if let Err(error) = self.journal.release(&records).await {
            tracing::warn!(share = %self.share.name(), %error, "journal does not release records; they will be replayed");
        }
        self.room.notify_waiters();
    }

    /// Journals a write and puts it into the index; none if the journal is full.
    pub(super) async fn append(
        &self,
        lock: &NodeLock<'_>,
        stored: &Node,
        offset: u64,
        data: Bytes,
        (credits, claim): (Credits, Claim),
    ) -> FsResult<Option<dittofs_domain::Sequence>> {
        let length = data.len() as u32;
        let stamp = self.numbers.stamp().await?;
        let time = self.nodes.pending().next_time(stored, self.share.now());
        let size = self.nodes.overlay_locked(lock, stored).size.max(offset + u64::from(length));
        let record = Record { node: stored.id, offset, data, size, time, epoch: self.share.epoch(), copy_of: None };
        let failures = self.journal.failures();
        let appended = match self.journal.append(record).await {
            Ok(appended) => appended,
            Err(JournalError::Full) => return Ok(None),
            Err(JournalError::DiskFull) => {
                self.full.set_journal(true);
                // Only what a flush gives back makes room.
                return if self.nodes.pending().bytes() > 0 { Ok(None) } else { Err(FsError::NoSpace) };
            }
            Err(error) => return Err(self.journal_failed(&error)),
        };
        self.full.set_journal(false);
        let at = self.share.monotonic();
        self.nodes.pending().write(lock, stored, Written { offset, length, appended, credits, claim, time, stamp, at });
        if self.journal.failures() != failures {
            // It may be lost already, and have been looked for before it was in the index.
            self.failures.note();
        }
        Ok(Some(appended.sequence))
    }
}
