//! Reading: what is unflushed first, then the map, then frames.

use std::ops::Range;

use dittofs_domain::{
    Attributes, Node, NodeId,
    attributes::{self, Pending},
    content::{
        map::{self, Piece, Source},
        slices::Part,
    },
    error::{FsError, FsResult},
    opens::ShareAccess,
    plan::Query,
};
use dittofs_ports::{Caller, ReadReply};

use crate::volume::{
    blocks::{Segments, Wanted, zeros},
    breathe::breathe,
    files::Files,
    node_locks::NodeLock,
    open_table::readable,
};

/// Bytes that one call reads at most, whatever the client asks for. Four of the longest reads of NFSv3: other protocols
/// ask for more at once.
const READ_BYTES_MAX: u32 = 4 << 20;
/// How often a read starts again because a flush or a truncation came between, before it takes the node's lock. Two in
/// a row are rare, and with the lock writers wait.
pub(super) const ATTEMPTS: u32 = 4;
/// How often it is tried with the lock: objects are kept for a while, so that two are not gone one after the other.
const LOCKED_ATTEMPTS: u32 = 2;
/// Slices of one read that are found, or whose bytes are taken, at once: some 100 µs of work. A MiB may have a million of them.
const SLICES_AT_ONCE: usize = 1_024;

/// Where the bytes of a range are, all of it as of one state of the node.
struct Layout {
    pieces: Vec<Piece>,
    parts: Vec<Part>,
    range: Range<u64>,
    attributes: Attributes,
}

/// A reply's bytes, and which of them are not in memory: what is to come before the n-th segment.
#[derive(Default)]
struct Gathered {
    segments: Segments,
    absent: Vec<(usize, Wanted)>,
}

impl Gathered {
    /// All of them, once those have come that were absent.
    fn with(self, fetched: impl Iterator<Item = (usize, Segments)>) -> Segments {
        let mut whole = Segments::new();
        let (mut segments, mut taken) = (self.segments.into_iter(), 0);
        for (before, bytes) in fetched {
            whole.extend(segments.by_ref().take(before - taken));
            taken = before;
            whole.extend(bytes);
        }
        whole.extend(segments);
        whole
    }
}

enum Unflushed {
    Changing,
    Seen { pending: Option<Pending>, parts: Vec<Part>, generation: Option<u64> },
}

impl Unflushed {
    /// Whether nothing of a range that is in the file comes from the map.
    fn covers(&self, range: &Range<u64>) -> bool {
        let Unflushed::Seen { pending: Some(pending), parts, .. } = self else { return false };
        let end = range.end.min(pending.size);
        let mut at = range.start;
        for part in parts {
            let Part::Slice(slice) = part else { continue };
            if slice.offset > at {
                break;
            }
            at = at.max(slice.end());
        }
        at >= end
    }
}

impl Files {
    pub(crate) async fn read(&self, caller: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply> {
        let end = offset.saturating_add(u64::from(length.min(READ_BYTES_MAX)));
        let access = self.opens.check_read(caller, node, offset, length).await?;
        for attempt in 0..ATTEMPTS + LOCKED_ATTEMPTS {
            // Under the lock nothing changes the node's map or lets go of its slices.
            let lock = if attempt >= ATTEMPTS { Some(self.locks.lock(node).await) } else { None };
            let Some(layout) = self.layout(caller, access, node, offset..end, lock.is_some()).await? else { continue };
            let (range, size) = (layout.range.clone(), layout.attributes.size);
            let data = match self.gather(node, &layout, lock).await {
                Ok(Some(data)) => data,
                // An object that is gone was repacked or overwritten: the map says where the bytes are now.
                Ok(None) | Err(FsError::Stale) => continue,
                Err(FsError::Io) => {
                    self.nodes.report_unreadable(node).await;
                    return Err(FsError::Io);
                }
                // Put off for long enough.
                Err(FsError::Busy) if self.blocks.is_given_up() => return Err(FsError::Io),
                Err(error) => return Err(error),
            };
            self.blocks.readahead().note(node, &range, size, self.share.monotonic());
            self.nodes.accessed(&layout.attributes);
            return Ok(ReadReply { data, end_of_file: range.end >= size, attributes: layout.attributes });
        }
        self.share.counters().lost_reads.count();
        tracing::error!(share = %self.share.name(), %node, "bytes of a file are neither in the journal nor in the content store");
        Err(FsError::Io)
    }

    /// Finds out where the bytes are; none if the node changed meanwhile.
    async fn layout(
        &self,
        caller: &Caller,
        access: ShareAccess,
        node: NodeId,
        range: Range<u64>,
        is_locked: bool,
    ) -> FsResult<Option<Layout>> {
        // Slices before the map: what leaves the index is in the map by then.
        let version = (!is_locked).then(|| self.nodes.pending().version());
        let unflushed = self.unflushed(node, &range).await;
        let query = Query { map: Some(map::resolve_query(node, &range, self.share.scale())), ..Query::node(node) };
        let (view, is_hidden) = match self.nodes.view(&query).await {
            // A damaged row of the map does not matter where all of it was written again since.
            Err(FsError::Io) if unflushed.covers(&range) => (self.nodes.view(&Query::node(node)).await?, true),
            view => (view?, false),
        };
        let stored: &Node = self.nodes.live(&view, node)?;
        readable(stored, caller, access)?;
        let covered = unflushed.covers(&range);
        let Unflushed::Seen { pending, parts, generation } = unflushed else { return Ok(None) };
        if !self.nodes.pending().is_at(node, generation, version) {
            return Ok(None);
        }
        let attributes = self.nodes.with_access_time(attributes::overlay(stored, pending.as_ref()));
        let range = range.start..range.end.min(attributes.size).max(range.start);
        let mapped = range.start..range.end.min(stored.size).max(range.start);
        let pieces = match map::resolve(&view.map, &self.share.facts(stored), mapped) {
            Err(_) if is_hidden || covered => Vec::new(),
            pieces => pieces.map_err(|error| self.share.map_failed(node, &error))?,
        };
        Ok(Some(Layout { pieces, parts, range, attributes }))
    }

    /// Returns what is unflushed of a range, found a few slices at a time.
    async fn unflushed(&self, node: NodeId, range: &Range<u64>) -> Unflushed {
        let Some(pending) = self.nodes.pending().find(node) else {
            return Unflushed::Seen { pending: None, parts: Vec::new(), generation: None };
        };
        let mut parts = Vec::new();
        let mut first = None;
        let mut at = range.start;
        loop {
            let (generation, shown) = {
                let pending = pending.lock();
                let (generation, shown) = *first.get_or_insert((pending.generation, pending.shown));
                if pending.generation % 2 == 1 || pending.generation != generation {
                    return Unflushed::Changing;
                }
                let some = pending.slices.read_some(at..range.end, SLICES_AT_ONCE);
                at = some.last().map_or(range.end, Part::end);
                parts.extend(some);
                (generation, shown)
            };
            if at >= range.end {
                return Unflushed::Seen { pending: Some(shown), parts, generation: Some(generation) };
            }
            breathe().await;
        }
    }

    /// Gets the bytes; none if a record was given up meanwhile. A lock of the node is given up before the store is waited
    /// for: the layout is of one state, slices are taken by then, and what an object holds never changes. The object may
    /// only be gone by the time that it is asked, which is `Stale`.
    async fn gather(&self, node: NodeId, layout: &Layout, lock: Option<NodeLock<'_>>) -> FsResult<Option<Segments>> {
        let mut out = Gathered::default();
        let mut at = layout.range.start;
        for (number, part) in layout.parts.iter().enumerate() {
            if number % SLICES_AT_ONCE == SLICES_AT_ONCE - 1 {
                breathe().await;
            }
            let Part::Slice(slice) = part else { continue };
            if slice.offset >= layout.range.end {
                break;
            }
            self.mapped(layout, at..slice.offset, &mut out);
            let length = u64::from(slice.len).min(layout.range.end - slice.offset) as u32;
            match self.write_back.slice(slice, length).await? {
                Some(bytes) => out.segments.push(bytes),
                None => return Ok(None),
            }
            at = slice.offset + u64::from(length);
        }
        self.mapped(layout, at..layout.range.end, &mut out);
        drop(lock);
        if out.absent.is_empty() {
            return Ok(Some(out.segments));
        }
        let absent = std::mem::take(&mut out.absent);
        let fetched =
            self.blocks.fetched_at_once(node, absent.iter().map(|(_, wanted)| wanted.clone()).collect()).await?;
        Ok(Some(out.with(absent.into_iter().map(|(at, _)| at).zip(fetched))))
    }

    /// The bytes of a range that no slice covers, as far as they are in memory; what lies behind the stored size is zeros.
    fn mapped(&self, layout: &Layout, range: Range<u64>, out: &mut Gathered) {
        let mut at = range.start;
        let first = layout.pieces.partition_point(|piece| piece.end() <= at);
        for piece in layout.pieces.iter().skip(first).take_while(|piece| piece.offset < range.end) {
            let start = piece.offset.max(at);
            let end = piece.end().min(range.end);
            if start >= end {
                continue;
            }
            let skip = start - piece.offset;
            match &piece.source {
                Source::Hole => zeros(end - start, &mut out.segments),
                Source::Inline(bytes) => out.segments.push(bytes.slice(skip as usize..(skip + end - start) as usize)),
                Source::Stored(from) => {
                    let wanted = Wanted::of(from, skip as u32, (end - start) as u32);
                    if !self.blocks.cached(&wanted, &mut out.segments) {
                        out.absent.push((out.segments.len(), wanted));
                    }
                }
            }
            at = end;
        }
        zeros(range.end.saturating_sub(at), &mut out.segments);
    }
}
