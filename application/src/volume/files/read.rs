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
    blocks::{Reader, Segments, Wanted, zeros},
    breathe::breathe,
    files::{Files, crowded::Crowded},
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
/// Slices of one read that are found, and whose bytes are taken, at once: some 100 µs of work. A MiB may have a million of
/// them.
const SLICES_AT_ONCE: usize = 1_024;
/// Parts of a range that a read remembers, and makes references to: some 50 kB. Where there are more it copies.
const PARTS_MAX: usize = 512;

/// Where the bytes of a range are, all of it as of one state of the node.
struct Layout {
    pieces: Vec<Piece>,
    written: Written,
    range: Range<u64>,
    attributes: Attributes,
}

/// The unflushed bytes of a range.
enum Written {
    /// Where they are.
    Parts(Vec<Part>),
    /// The bytes, where they are too many parts.
    Crowded(Crowded),
}

impl Written {
    /// Whether they are all bytes from `start` to `end`.
    fn covers(&self, start: u64, end: u64) -> bool {
        let parts = match self {
            Written::Parts(parts) => parts,
            Written::Crowded(crowded) => return crowded.covers(end),
        };
        let mut at = start;
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
    Seen { pending: Option<Pending>, written: Written, generation: Option<u64> },
}

impl Unflushed {
    /// Whether nothing of a range that is in the file comes from the map.
    fn covers(&self, range: &Range<u64>) -> bool {
        let Unflushed::Seen { pending: Some(pending), written, .. } = self else { return false };
        written.covers(range.start, range.end.min(pending.size))
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
            let (range, size, attributes) = (layout.range.clone(), layout.attributes.size, layout.attributes.clone());
            let data = match self.gather(node, layout, lock).await {
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
            self.blocks.readahead().note(Reader::of(caller, node), &range, size, self.share.monotonic());
            self.nodes.accessed(&attributes);
            return Ok(ReadReply { data, end_of_file: range.end >= size, attributes });
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
        let unflushed = self.unflushed(node, &range).await?;
        let query = Query { map: Some(map::resolve_query(node, &range, self.share.scale())), ..Query::node(node) };
        let (view, is_hidden) = match self.nodes.view(&query).await {
            // A damaged row of the map does not matter where all of it was written again since.
            Err(FsError::Io) if unflushed.covers(&range) => (self.nodes.view(&Query::node(node)).await?, true),
            view => (view?, false),
        };
        let stored: &Node = self.nodes.live(&view, node)?;
        readable(stored, caller, access)?;
        let covered = unflushed.covers(&range);
        let Unflushed::Seen { pending, written, generation } = unflushed else { return Ok(None) };
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
        Ok(Some(Layout { pieces, written, range, attributes }))
    }

    /// Returns what is unflushed of a range, found a few slices at a time.
    async fn unflushed(&self, node: NodeId, range: &Range<u64>) -> FsResult<Unflushed> {
        let Some(pending) = self.nodes.pending().find(node) else {
            return Ok(Unflushed::Seen { pending: None, written: Written::Parts(Vec::new()), generation: None });
        };
        let (generation, shown, parts) = {
            let pending = pending.lock();
            (pending.generation, pending.shown, pending.slices.read_some(range.clone(), PARTS_MAX))
        };
        if generation % 2 == 1 {
            return Ok(Unflushed::Changing);
        }
        let mut at = parts.last().map_or(range.end, Part::end);
        if at >= range.end {
            let written = Written::Parts(parts);
            return Ok(Unflushed::Seen { pending: Some(shown), written, generation: Some(generation) });
        }
        let (mut crowded, mut parts) = (Crowded::new(range), parts);
        loop {
            if !self.take(&mut crowded, &parts).await? {
                return Ok(Unflushed::Changing);
            }
            if at >= range.end {
                let written = Written::Crowded(crowded);
                return Ok(Unflushed::Seen { pending: Some(shown), written, generation: Some(generation) });
            }
            breathe().await;
            let pending = pending.lock();
            if pending.generation != generation {
                return Ok(Unflushed::Changing);
            }
            parts = pending.slices.read_some(at..range.end, SLICES_AT_ONCE);
            at = parts.last().map_or(range.end, Part::end);
        }
    }

    /// Copies the bytes of slices; answers whether all were still there.
    async fn take(&self, crowded: &mut Crowded, parts: &[Part]) -> FsResult<bool> {
        for part in parts {
            let Part::Slice(slice) = part else { continue };
            match self.write_back.slice(slice, slice.len).await? {
                Some(bytes) => crowded.take(slice.offset, &bytes),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Gets the bytes; none if a record was given up meanwhile. A lock of the node is given up before the store is waited
    /// for: the layout is of one state, slices are taken by then, and what an object holds never changes. The object may
    /// only be gone by the time that it is asked, which is `Stale`.
    async fn gather(&self, node: NodeId, layout: Layout, lock: Option<NodeLock<'_>>) -> FsResult<Option<Segments>> {
        let Layout { pieces, written, range, .. } = layout;
        let mut out = Gathered::default();
        match written {
            Written::Parts(parts) => {
                if !self.gather_parts(&pieces, &parts, &range, &mut out).await? {
                    return Ok(None);
                }
                drop(lock);
                self.fetch(node, out).await.map(Some)
            }
            Written::Crowded(crowded) => {
                drop(lock);
                let gaps = crowded.gaps(range.end);
                gaps.iter().for_each(|gap| self.mapped(&pieces, gap.clone(), &mut out));
                let mapped = self.fetch(node, out).await?;
                Ok(Some(Segments::from_iter([crowded.filled(&gaps, &mapped, range.end).await])))
            }
        }
    }

    /// Gets the bytes that are in memory; answers whether all that were written were still there.
    async fn gather_parts(
        &self,
        pieces: &[Piece],
        parts: &[Part],
        range: &Range<u64>,
        out: &mut Gathered,
    ) -> FsResult<bool> {
        let mut at = range.start;
        for part in parts {
            let Part::Slice(slice) = part else { continue };
            if slice.offset >= range.end {
                break;
            }
            self.mapped(pieces, at..slice.offset, out);
            let length = u64::from(slice.len).min(range.end - slice.offset) as u32;
            match self.write_back.slice(slice, length).await? {
                Some(bytes) => out.segments.push(bytes),
                None => return Ok(false),
            }
            at = slice.offset + u64::from(length);
        }
        self.mapped(pieces, at..range.end, out);
        Ok(true)
    }

    /// Gets the bytes that are not in memory.
    async fn fetch(&self, node: NodeId, mut out: Gathered) -> FsResult<Segments> {
        if out.absent.is_empty() {
            return Ok(out.segments);
        }
        let absent = std::mem::take(&mut out.absent);
        let fetched =
            self.blocks.fetched_at_once(node, absent.iter().map(|(_, wanted)| wanted.clone()).collect()).await?;
        Ok(out.with(absent.into_iter().map(|(at, _)| at).zip(fetched)))
    }

    /// The bytes of a range that no slice covers, as far as they are in memory; what lies behind the stored size is zeros.
    fn mapped(&self, pieces: &[Piece], range: Range<u64>, out: &mut Gathered) {
        let mut at = range.start;
        let first = pieces.partition_point(|piece| piece.end() <= at);
        for piece in pieces.iter().skip(first).take_while(|piece| piece.offset < range.end) {
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
