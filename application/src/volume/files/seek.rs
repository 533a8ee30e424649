//! Where a file has data and where it has holes: in the journal and in the map, as of one instant for each step.

use std::{ops::Range, sync::Arc};

use dittofs_domain::{
    Node, NodeId,
    content::{FILE_BYTES_MAX, map, slices::Part},
    error::{FsError, FsResult},
    opens::ShareAccess,
    plan::{MapQuery, Query},
};
use dittofs_ports::{AllocatedRanges, Caller, Seek};

use crate::volume::{
    files::{Files, read::ATTEMPTS},
    open_table::readable,
};

/// Parts of the journal's index that one step looks at: it bounds how long the index is held (decision 0023).
const PARTS_MAX: usize = 4_096;
/// Steps after which the rest is taken for data: some TiB of a file.
const STEPS_MAX: u32 = 8_192;
/// Steps of one question for ranges. It bounds the time of a call; the client asks again from where the answer ends.
const STEPS_PER_ANSWER: u32 = 64;
/// Ranges that one answer has at most.
const RANGES_MAX: usize = 16_384;

/// Who looks at which file.
struct Looking<'a> {
    caller: &'a Caller,
    access: ShareAccess,
    node: NodeId,
}

/// The known part of a range, from its start up to some byte.
struct Stretch {
    data: Vec<Range<u64>>,
    /// The first byte that is not known.
    end: u64,
    size: u64,
}

impl Files {
    /// Looks for data or for a hole.
    pub(crate) async fn seek(&self, caller: &Caller, node: NodeId, offset: u64, what: Seek) -> FsResult<Option<u64>> {
        let looking = self.looking(caller, node).await?;
        let mut at = offset;
        for _ in 0..STEPS_MAX {
            let stretch = self.stretch(&looking, at..FILE_BYTES_MAX).await?;
            if offset >= stretch.size {
                return Err(FsError::NothingThere);
            }
            let first = stretch.data.first();
            match (what, first) {
                (Seek::Data, Some(run)) => return Ok(Some(run.start.max(offset))),
                (Seek::Hole, Some(run)) if run.start <= at && run.end >= stretch.end => {}
                (Seek::Hole, Some(run)) if run.start <= at => return Ok(Some(run.end)),
                (Seek::Hole, _) => return Ok(Some(at.min(stretch.size))),
                (Seek::Data, None) => {}
            }
            at = stretch.end;
            if at >= stretch.size {
                return Ok((what == Seek::Hole).then_some(stretch.size));
            }
        }
        // Holes may be taken for data, never the other way round.
        let size = self.stretch(&looking, at..at).await?.size;
        Ok(Some(if what == Seek::Hole { size } else { at }))
    }

    /// Where a range has data.
    pub(crate) async fn allocated_ranges(
        &self,
        caller: &Caller,
        node: NodeId,
        range: Range<u64>,
        ranges_max: usize,
    ) -> FsResult<AllocatedRanges> {
        let looking = self.looking(caller, node).await?;
        let ranges_max = ranges_max.clamp(1, RANGES_MAX);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let mut at = range.start;
        for _ in 0..STEPS_PER_ANSWER {
            let stretch = self.stretch(&looking, at..range.end).await?;
            for run in stretch.data {
                let is_full = ranges.len() == ranges_max;
                match ranges.last_mut() {
                    Some(last) if last.end == run.start => last.end = run.end,
                    _ if is_full => return Ok(AllocatedRanges { ranges, next: Some(run.start) }),
                    _ => ranges.push(run),
                }
            }
            at = stretch.end;
            if at >= range.end.min(stretch.size) {
                return Ok(AllocatedRanges { ranges, next: None });
            }
        }
        Ok(AllocatedRanges { ranges, next: Some(at) })
    }

    async fn looking<'a>(&self, caller: &'a Caller, node: NodeId) -> FsResult<Looking<'a>> {
        // A zero-length range: locks of others are about bytes, not about where there are any.
        let access = self.opens.check_read(caller, node, 0, 0).await?;
        Ok(Looking { caller, access, node })
    }

    async fn stretch(&self, looking: &Looking<'_>, range: Range<u64>) -> FsResult<Stretch> {
        for attempt in 0..=ATTEMPTS {
            let lock = if attempt == ATTEMPTS { Some(self.locks.lock(looking.node).await) } else { None };
            if let Some(stretch) = self.try_stretch(looking, range.clone(), lock.is_some()).await? {
                return Ok(stretch);
            }
        }
        Err(FsError::Busy)
    }

    /// One look; none if the node changed meanwhile.
    async fn try_stretch(
        &self,
        looking: &Looking<'_>,
        range: Range<u64>,
        is_locked: bool,
    ) -> FsResult<Option<Stretch>> {
        let node = looking.node;
        let version = (!is_locked).then(|| self.nodes.pending().version());
        // Slices before the map: what leaves the index is in the map by then.
        let Some((shown, parts, generation)) = self.parts(node, &range) else { return Ok(None) };
        let query = MapQuery {
            node,
            first_page: self.share.scale().page_of(range.start),
            last_page: self.share.scale().page_of(range.end.saturating_sub(1).max(range.start)),
            rows_max: self.share.scale().step_rows(),
        };
        let view = self.nodes.view(&Query { map: Some(query), ..Query::node(node) }).await?;
        let stored: &Arc<Node> = self.nodes.live(&view, node)?;
        readable(stored, looking.caller, looking.access)?;
        if !self.nodes.pending().is_at(node, generation, version) {
            return Ok(None);
        }
        let size = shown.unwrap_or(stored.size);
        let range = range.start..range.end.min(size).max(range.start);
        let known = map::resolve_known(&view.map, &self.share.facts(stored), range.clone());
        let (pieces, mapped) = known.map_err(|error| self.share.map_failed(node, &error))?;
        let indexed = parts.last().filter(|_| parts.len() == PARTS_MAX).map_or(u64::MAX, Part::end);
        let end = mapped.min(indexed).min(range.end);
        Ok(Some(Stretch { data: map::data_ranges(&pieces, &parts, &(range.start..end)), end, size }))
    }

    /// Returns what the index says: the size that is shown, the first parts, and a generation; none while it changes.
    fn parts(&self, node: NodeId, range: &Range<u64>) -> Option<(Option<u64>, Vec<Part>, Option<u64>)> {
        let Some(pending) = self.nodes.pending().find(node) else { return Some((None, Vec::new(), None)) };
        let pending = pending.lock();
        let parts = pending.slices.read_some(range.clone(), PARTS_MAX);
        let is_stable = pending.generation.is_multiple_of(2);
        is_stable.then_some((Some(pending.shown.size), parts, Some(pending.generation)))
    }
}
