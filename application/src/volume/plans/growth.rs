//! The room of the share: bytes and nodes are refused before anything is written, never when it is stored.

use std::{ops::Range, time::Duration};

use dittofs_domain::{
    Node, NodeId, Timestamp, check,
    content::{
        map::{self, Piece, Source},
        slices::Part,
    },
    error::{FsError, FsResult},
    plan::{Plan, Query, Statistics},
    quota::{Amount, Verdict, counted, metadata_bytes},
};
use dittofs_ports::{ApplyError, Capacity, MetadataError, ShareMetadata, ShareRecord, ShareSpace};

use crate::volume::{ledger::Claim, plans::PlanRunner, scan::nodes_after};

/// Nodes that a share may hold, as clients see it where no quota says so: ids are never reused, so this is no
/// promise.
const NODES_MAX: u64 = 1 << 40;
/// How old the sums of the metadata store may be: what this instance changes meanwhile is counted beside them.
const COUNTED_EVERY: Duration = Duration::from_secs(5);
/// Nodes that are looked at, at a time. A turn of the store, with little memory.
const NODES_PER_PAGE: usize = 1_024;

impl PlanRunner {
    /// Space of the share. What is unflushed is counted as if it replaced nothing, where that is not known better.
    pub(crate) async fn space(&self) -> FsResult<ShareSpace> {
        let now = self.share.monotonic();
        if now.saturating_sub(*self.counted_at.lock()) >= COUNTED_EVERY {
            self.count_again().await?;
        }
        let (stored, coming) = self.ledger.held();
        let quota = self.ledger.quota();
        let capacity = self.capacity().await.unwrap_or(Capacity { total: quota.bytes, free: quota.bytes });
        let (bytes_used, nodes_used) = (stored.bytes.saturating_add(coming.bytes), stored.nodes + coming.nodes);
        let nodes_total = quota.nodes.min(NODES_MAX);
        Ok(ShareSpace {
            bytes_total: quota.bytes.min(capacity.total),
            // Unflushed bytes still have to go to the store.
            bytes_free: quota.bytes.saturating_sub(bytes_used).min(capacity.free.saturating_sub(coming.bytes)),
            bytes_used,
            nodes_total,
            nodes_free: nodes_total.saturating_sub(nodes_used),
            nodes_used,
        })
    }

    /// Returns the capacity of the content store, where it is known. A store that does not answer bounds nothing here.
    async fn capacity(&self) -> Option<Capacity> {
        match self.content.capacity().await {
            Ok(capacity) => capacity,
            Err(error) => {
                tracing::debug!(share = %self.share.name(), %error, "the room of the content store is not known");
                None
            }
        }
    }

    /// Takes the sums over from the metadata store: of a plan that was not answered nobody knows otherwise.
    pub(in crate::volume) async fn count_again(&self) -> FsResult<()> {
        let (version, now) = (self.ledger.version(), self.share.monotonic());
        let sums = self.metadata.statistics().await.map_err(|error| self.share.metadata_failed(&error))?;
        self.ledger.observe(version, sums);
        *self.counted_at.lock() = now;
        Ok(())
    }

    /// Claims what a write may make the share grow by, under the node's lock; none where it may fit once something is
    /// flushed or reaped. What only replaces stored or unflushed bytes always fits.
    pub(in crate::volume) async fn claim_write(
        &self,
        stored: &Node,
        offset: u64,
        length: u32,
    ) -> FsResult<Option<Claim>> {
        let range = offset..offset + u64::from(length);
        if let Ok(claim) = self.ledger.claim(Amount::of_bytes(u64::from(length))) {
            return Ok(Some(claim));
        }
        let growth = self.growth(stored, range).await?;
        match self.ledger.claim(Amount::of_bytes(growth)) {
            Ok(claim) => Ok(Some(claim)),
            Err(Verdict::Wait) => {
                self.make_quota_known();
                Ok(None)
            }
            Err(Verdict::Over | Verdict::Fits) => Err(FsError::NoSpace),
        }
    }

    /// Claims bytes at once, under a node lock; `Busy` where they may fit once something is flushed or reaped.
    pub(in crate::volume) fn claim_now(&self, bytes: u64) -> FsResult<Claim> {
        self.ledger.claim(Amount::of_bytes(bytes)).map_err(|verdict| self.refused_now(verdict))
    }

    fn refused_now(&self, verdict: Verdict) -> FsError {
        match verdict {
            Verdict::Wait => {
                self.make_quota_known();
                FsError::Busy
            }
            Verdict::Over | Verdict::Fits => FsError::NoSpace,
        }
    }

    /// Bytes of a range that nothing has yet: neither the journal nor the map. Under the node's lock.
    pub(in crate::volume) async fn growth(&self, stored: &Node, range: Range<u64>) -> FsResult<u64> {
        let gaps: Vec<Range<u64>> = match self.nodes.pending().find(stored.id) {
            None => vec![range.clone()],
            Some(pending) => pending.lock().slices.read(range.clone()).iter().filter_map(gap).collect(),
        };
        if gaps.is_empty() {
            return Ok(0);
        }
        let query = Query { map: Some(map::resolve_query(stored.id, &range, self.share.scale())), ..Query::default() };
        let rows = self.nodes.view(&query).await?.view.map;
        let mut growth = 0;
        for gap in gaps {
            let end = gap.end.min(stored.size).max(gap.start);
            let pieces = map::resolve(&rows, &self.share.facts(stored), gap.start..end);
            let pieces = pieces.map_err(|error| self.share.map_failed(stored.id, &error))?;
            growth += gap.end - end + pieces.iter().filter(|piece| is_hole(piece)).map(|piece| piece.len).sum::<u64>();
        }
        Ok(growth)
    }

    /// Claims the growth of a plan at once, under a node lock; as [`PlanRunner::claim_now`].
    pub(in crate::volume) fn claim_plan_now(&self, plan: &Plan) -> FsResult<Option<Claim>> {
        self.claim_plan(plan).map_err(|verdict| self.refused_now(verdict))
    }

    pub(super) fn claim_plan(&self, plan: &Plan) -> Result<Option<Claim>, Verdict> {
        let growth = Amount::of_growth(counted(&plan.changes));
        if growth == Amount::default() { Ok(None) } else { self.ledger.claim(growth).map(Some) }
    }

    /// Has the flusher and the reaper find out what the share really holds.
    pub(super) fn make_quota_known(&self) {
        self.ledger.want();
        self.write_back.admission().request_flush();
        self.garbage.wake();
    }
}

/// Counts nodes, names and targets into the sums of a share that was made when only extents were counted. Nobody uses
/// it yet. Where it is interrupted, it begins again: the sums are set to what was counted, not raised by it. A node whose
/// row is damaged counts as one without bytes: what it has is not known, and must not keep the share from being opened.
pub(in crate::volume) async fn count_names(
    metadata: &dyn ShareMetadata,
    record: &mut ShareRecord,
) -> Result<(), MetadataError> {
    if record.counts_names {
        return Ok(());
    }
    let (mut counted, mut after, mut damaged) = (Statistics::default(), NodeId(0), 0);
    loop {
        let page = nodes_after(metadata, after, NODES_PER_PAGE).await?;
        let Some(last) = page.next() else { break };
        after = last;
        counted.nodes += (page.nodes.len() + page.damaged.len()) as i64;
        damaged += page.damaged.len();
        for node in &page.nodes {
            counted.bytes = counted.bytes.saturating_add_unsigned(node.allocated + metadata_bytes(node));
        }
    }
    let stored = metadata.statistics().await?;
    metadata.apply(check::correct_statistics(stored, counted, Timestamp::EPOCH), None).await.map_err(as_unavailable)?;
    record.counts_names = true;
    metadata.put_record(record).await?;
    if damaged > 0 {
        tracing::error!(
            share = %record.name, nodes = damaged,
            "rows of nodes are damaged, and count for nothing in the quota: `dittofs check` says which"
        );
    }
    tracing::info!(share = %record.name, nodes = counted.nodes, "nodes and names count for the quota from now on");
    Ok(())
}

fn as_unavailable(error: ApplyError) -> MetadataError {
    MetadataError::Unavailable(Box::new(error))
}

fn gap(part: &Part) -> Option<Range<u64>> {
    match part {
        Part::Gap { offset, len } => Some(*offset..*offset + *len),
        Part::Slice(_) => None,
    }
}

fn is_hole(piece: &Piece) -> bool {
    matches!(piece.source, Source::Hole)
}
