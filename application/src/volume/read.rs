//! Reading: what is unflushed first, then the map, then frames.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{
    Attributes, Node, NodeId,
    attributes::{self, Pending},
    content::{
        map::{self, Piece, Source},
        slices::{Part, Slice},
    },
    error::{FsError, FsResult},
    opens::ShareAccess,
    plan::Query,
};
use dittofs_ports::{Caller, JournalError, ReadReply};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use smallvec::SmallVec;

use super::{Volume, breathe::breathe, fetch::Wanted, opens::readable};

/// Bytes that one call reads at most, whatever the client asks for.
const READ_BYTES_MAX: u32 = 4 << 20;
/// How often a read starts again because a flush or a truncation came between, before it takes the node's turn.
pub(super) const ATTEMPTS: u32 = 4;
/// Extents of one read that are fetched at the same time.
const EXTENTS_AT_ONCE: usize = 16;
/// Slices of one read that are found, or whose bytes are taken, at once: some 100 µs of work. A MiB may have a million of them.
const SLICES_AT_ONCE: usize = 1_024;
/// Zeros for holes: large holes are answered by many references to these.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The bytes of a reply, in order.
pub(super) type Segments = SmallVec<[Bytes; 4]>;

/// Where the bytes of a range are, all of it as of one state of the node.
struct Layout {
    pieces: Vec<Piece>,
    parts: Vec<Part>,
    range: Range<u64>,
    attributes: Attributes,
}

impl Volume {
    pub(crate) async fn read(&self, caller: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply> {
        let end = offset.saturating_add(u64::from(length.min(READ_BYTES_MAX)));
        let access = self.check_read(caller, node, offset, length).await?;
        for attempt in 0..=ATTEMPTS {
            // Under the turn nothing changes the node's map or lets go of its slices.
            let turn = if attempt == ATTEMPTS { Some(self.turns.lock(node).await) } else { None };
            let Some(layout) = self.layout(caller, access, node, offset..end, turn.is_some()).await? else { continue };
            let (range, size) = (layout.range.clone(), layout.attributes.size);
            let data = match self.gather(node, &layout).await {
                Ok(Some(data)) => data,
                // An object that is gone was repacked or overwritten: the map says where the bytes are now.
                Ok(None) | Err(FsError::Stale) => continue,
                Err(FsError::Io) => {
                    self.tell_unreadable(node).await;
                    return Err(FsError::Io);
                }
                Err(error) => return Err(error),
            };
            self.readahead.note(node, &range, size, self.machine.clock.monotonic());
            self.accessed(&layout.attributes);
            return Ok(ReadReply { data, end_of_file: range.end >= size, attributes: layout.attributes });
        }
        self.counters.lost_reads.count();
        tracing::error!(share = %self.name, %node, "bytes of a file are neither in the journal nor in the content store");
        Err(FsError::Io)
    }

    /// Finds out where the bytes are; none if the node changed meanwhile.
    async fn layout(
        &self,
        caller: &Caller,
        access: ShareAccess,
        node: NodeId,
        range: Range<u64>,
        in_turn: bool,
    ) -> FsResult<Option<Layout>> {
        // Slices before the map: what leaves the index is in the map by then.
        let moment = (!in_turn).then(|| self.pending.moment());
        let unflushed = self.unflushed(node, &range).await;
        let query = Query { map: Some(map::resolve_query(node, &range, self.scale())), ..Query::node(node) };
        let (view, is_hidden) = match self.view(&query).await {
            // A damaged row of the map does not matter where all of it was written again since.
            Err(FsError::Io) if unflushed.covers(&range) => (self.view(&Query::node(node)).await?, true),
            view => (view?, false),
        };
        let stored: &Node = self.live(&view, node)?;
        readable(stored, caller, access)?;
        let covered = unflushed.covers(&range);
        let Unflushed::Seen { pending, parts, generation } = unflushed else { return Ok(None) };
        if !self.pending.is_at(node, generation, moment) {
            return Ok(None);
        }
        let attributes = self.with_access_time(attributes::overlay(stored, pending.as_ref()));
        let range = range.start..range.end.min(attributes.size).max(range.start);
        let mapped = range.start..range.end.min(stored.size).max(range.start);
        let pieces = match map::resolve(&view.map, &self.facts(stored), mapped) {
            Err(_) if is_hidden || covered => Vec::new(),
            pieces => pieces.map_err(|error| self.map_failed(node, &error))?,
        };
        Ok(Some(Layout { pieces, parts, range, attributes }))
    }

    /// What is unflushed of a range, found a few slices at a time.
    async fn unflushed(&self, node: NodeId, range: &Range<u64>) -> Unflushed {
        let Some(pending) = self.pending.find(node) else {
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

    /// Gets the bytes; none if a record was given up meanwhile.
    async fn gather(&self, node: NodeId, layout: &Layout) -> FsResult<Option<Segments>> {
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
            match self.slice(slice, length).await? {
                Some(bytes) => out.segments.push(bytes),
                None => return Ok(None),
            }
            at = slice.offset + u64::from(length);
        }
        self.mapped(layout, at..layout.range.end, &mut out);
        if out.absent.is_empty() {
            return Ok(Some(out.segments));
        }
        let absent = std::mem::take(&mut out.absent);
        let fetched = self.fetched_at_once(node, absent.iter().map(|(_, wanted)| wanted.clone()).collect()).await?;
        Ok(Some(out.with(absent.into_iter().map(|(at, _)| at).zip(fetched))))
    }

    /// Gets bytes of several extents, side by side.
    pub(super) async fn fetched_at_once(&self, node: NodeId, wanted: Vec<Wanted>) -> FsResult<Vec<Segments>> {
        let fetches = wanted.into_iter().map(|wanted| async move { self.fetched(node, &wanted).await });
        stream::iter(fetches).buffered(EXTENTS_AT_ONCE).try_collect().await
    }

    pub(super) async fn slice(&self, slice: &Slice, length: u32) -> FsResult<Option<Bytes>> {
        if let Some(bytes) = self.stores.journal.read_now(slice.place, slice.skip, length) {
            return Ok(Some(bytes));
        }
        match self.stores.journal.read(slice.place, slice.skip, length).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(JournalError::NotFound) => Ok(None),
            Err(error) => Err(self.journal_failed(&error)),
        }
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
                    if !self.cached(&wanted, &mut out.segments) {
                        out.absent.push((out.segments.len(), wanted));
                    }
                }
            }
            at = end;
        }
        zeros(range.end.saturating_sub(at), &mut out.segments);
    }
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

pub(super) fn zeros(mut length: u64, out: &mut Segments) {
    while length > 0 {
        let part = length.min(ZEROS.len() as u64);
        out.push(Bytes::from_static(&ZEROS[..part as usize]));
        length -= part;
    }
}
