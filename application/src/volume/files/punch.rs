//! Punching holes, and making files longer.

use std::ops::Range;

use dittofs_domain::{
    NodeId,
    content::{
        FILE_BYTES_MAX,
        map::{Piece, Source},
    },
    error::{FsError, FsResult},
};
use dittofs_ports::{Caller, Changed, WeakAttributes};

use crate::volume::files::{
    Files,
    replace::{Replacing, Step},
};

/// How far a punch got under one lock.
enum Punched {
    Done(Changed),
    /// These bytes must be zeros that are written.
    Crowded(Range<u64>),
}

impl Files {
    /// Makes a range a hole, to the byte.
    pub(crate) async fn punch(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed> {
        self.share.demand_writable()?;
        let (mut at, mut before) = (range.start, None);
        loop {
            self.limit_replay_exclusions(node).await?;
            match self.punch_locked(caller, node, at..range.end, &mut before).await? {
                Punched::Done(changed) => return Ok(changed),
                Punched::Crowded(zeros) => {
                    at = zeros.end;
                    self.write_zeros(caller, node, zeros).await?;
                }
            }
        }
    }

    async fn punch_locked(
        &self,
        caller: &Caller,
        node: NodeId,
        range: Range<u64>,
        before: &mut Option<WeakAttributes>,
    ) -> FsResult<Punched> {
        let admitted = self.opens.lock_to_replace(caller, node, &range).await?;
        let (size, shown) = self.shown_to_writer(caller, &admitted).await?;
        let before = *before.get_or_insert(shown);
        if range.start < range.end.min(size) {
            let end = range.end.min(self.store_size(&admitted.lock).await?);
            let crowded = self.put_hole(&Replacing::by(caller, &admitted, range.start), end).await?;
            if let Some(crowded) = crowded {
                return Ok(Punched::Crowded(crowded));
            }
        }
        Ok(Punched::Done(self.nodes.changed_since(&admitted.lock, before).await?))
    }

    /// Puts a hole in the place of a range; answers where it must be written instead.
    async fn put_hole(&self, replacing: &Replacing<'_>, end: u64) -> FsResult<Option<Range<u64>>> {
        let mut at = replacing.start;
        while at < end {
            let hole = Piece { offset: at, len: end - at, source: Source::Hole };
            match self.replace_some(replacing, &[hole]).await? {
                Step::Done(end) => at = end,
                Step::Crowded(end) => return Ok(Some(at..end)),
            }
        }
        Ok(None)
    }

    /// Makes sure that a file reaches to the end of a range, where the share has room for that.
    pub(crate) async fn allocate(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed> {
        self.share.demand_writable()?;
        if range.end > FILE_BYTES_MAX {
            return Err(FsError::TooLarge);
        }
        self.limit_replay_exclusions(node).await?;
        let admitted = self.opens.lock_to_replace(caller, node, &range).await?;
        let (size, before) = self.shown_to_writer(caller, &admitted).await?;
        if !range.is_empty() {
            let used = self.nodes.changed_since(&admitted.lock, before).await?.after.used;
            drop(self.plans.claim_now((range.end - range.start).saturating_sub(used))?);
        }
        if !range.is_empty() && range.end > size {
            let stored = self.store_size(&admitted.lock).await?;
            self.put_hole(&Replacing::by(caller, &admitted, stored), range.end).await?;
        }
        self.nodes.changed_since(&admitted.lock, before).await
    }
}
