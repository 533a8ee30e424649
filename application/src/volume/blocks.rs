//! Bytes from objects: through the caches, frame by frame, each checked once and fetched once for all who want it.

mod flights;
mod gets;
mod newest;
mod outage;
mod parts;
mod readahead;
mod segments;

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    NodeId, ObjectId,
    content::{
        BlockPlace, FRAME_BYTES, Stored,
        block::{BlockHead, CODEC_NONE, FrameRun, head_len},
    },
    error::{FsError, FsResult},
};
use dittofs_ports::{BlockCache, ContentError, ContentStore, DiskCache, FrameKey, Survives};
use flights::Flights;
use futures_util::{
    future,
    stream::{self, StreamExt, TryStreamExt},
};
use gets::{Get, Gets, Reach};
use newest::Newest;
use parking_lot::Mutex;
use parts::Parts;
use readahead::Pace;

use crate::{
    lock_order::may_wait_outside,
    volume::{VolumeLimits, nodes::Nodes, sealing::Sealing, share::Share},
};
pub(super) use outage::Outage;
pub(super) use readahead::{Readahead, Reader};
pub(super) use segments::{Joined, Segments, zeros};

/// The frame number under which a block's head is kept.
const HEAD: u32 = u32::MAX;
/// Heads of blocks take at most this part of what the cache takes, besides it, between these bounds. A full block has
/// 1.6 KB of head beside its 4 MiB, so that this is seldom used up.
const HEADS_PART: u64 = 64;
const HEADS_BYTES_MIN: u64 = 1 << 20;
const HEADS_BYTES_MAX: u64 = 64 << 20;
/// Extents of one read that are fetched at the same time. A page has 32 at most, and each may be a request.
const EXTENTS_AT_ONCE: usize = 16;
/// How often a read waits for frames that somebody else fetches and does not get.
const WAITS_MAX: u32 = 16;

/// Bytes of a block that a reader wants: where they are, and their range in its content.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) from: Stored,
    pub(super) range: Range<u32>,
}

impl Wanted {
    /// Bytes `skip .. skip + length` of an extent.
    pub(super) fn of(from: &Stored, skip: u32, length: u32) -> Wanted {
        let start = from.skip.saturating_add(skip);
        Wanted { from: *from, range: start..start.saturating_add(length) }
    }

    fn key(&self, frame: u32) -> FrameKey {
        FrameKey { object: self.from.object, block: self.from.block.at, frame }
    }

    /// The frames that have them.
    fn frames(&self) -> Range<u32> {
        self.range.start / FRAME_BYTES..self.range.end.div_ceil(FRAME_BYTES)
    }

    /// Returns their keys in the caches.
    pub(super) fn keys(&self) -> impl Iterator<Item = FrameKey> + use<'_> {
        self.frames().map(|frame| self.key(frame))
    }

    /// Returns the length of a frame.
    fn frame_len(&self, frame: u32) -> usize {
        gets::raw_range(&(frame..frame + 1), self.from.block.raw_len).len()
    }
}

/// Reads the blocks of a share's objects.
pub(super) struct BlockReader {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    sealing: Arc<Sealing>,
    content: Arc<dyn ContentStore>,
    cache: Arc<dyn BlockCache>,
    disk: Option<Arc<dyn DiskCache>>,
    flights: Flights,
    reach: Reach,
    /// Heads of blocks, which save a round trip each: the cache may not keep them beside many frames.
    heads: Mutex<Newest>,
    outage: Outage,
    /// How long reads are put off while the store does not answer.
    outage_max: Duration,
    readahead: Readahead,
}

impl BlockReader {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        sealing: Arc<Sealing>,
        content: Arc<dyn ContentStore>,
        (cache, disk): (Arc<dyn BlockCache>, Option<Arc<dyn DiskCache>>),
        limits: &VolumeLimits,
    ) -> BlockReader {
        // A store that outlives the machine is behind a network.
        let is_remote = content.survives() == Survives::MachineLoss;
        let cache_bytes = cache.usage().limit;
        let pace = Pace::new(is_remote, limits.readahead_bytes_max, cache_bytes);
        let heads = Newest::new((cache_bytes / HEADS_PART).clamp(HEADS_BYTES_MIN, HEADS_BYTES_MAX));
        BlockReader {
            share,
            nodes,
            sealing,
            content,
            cache,
            disk,
            flights: Flights::default(),
            reach: if is_remote { Reach::REMOTE } else { Reach::LOCAL },
            heads: Mutex::new(heads),
            outage: Outage::default(),
            outage_max: Duration::from_millis(limits.outage_ms_max),
            readahead: Readahead::new(pace),
        }
    }

    /// How long the content store has not answered.
    pub(super) fn outage(&self) -> &Outage {
        &self.outage
    }

    /// Whether the content store has not answered for so long that readers are not put off any more. To everybody else it
    /// is away: nothing is known to be damaged.
    pub(super) fn is_given_up(&self) -> bool {
        self.outage.lasts(self.share.monotonic()).is_some_and(|lasts| lasts > self.outage_max)
    }

    /// Who reads in order.
    pub(super) fn readahead(&self) -> &Readahead {
        &self.readahead
    }

    /// Bytes `skip .. skip + length` of an extent, from the caches or the content store.
    pub(super) async fn stored(
        &self,
        node: NodeId,
        from: &Stored,
        skip: u32,
        length: u32,
        out: &mut Segments,
    ) -> FsResult<()> {
        let wanted = Wanted::of(from, skip, length);
        if !self.cached(&wanted, out) {
            out.extend(self.fetched(node, &wanted).await?);
        }
        Ok(())
    }

    /// Takes bytes from memory, all of them or nothing.
    pub(super) fn cached(&self, wanted: &Wanted, out: &mut Segments) -> bool {
        let before = out.len();
        let mut at = wanted.range.start;
        while at < wanted.range.end {
            let Some(frame) = self.frame(wanted, at / FRAME_BYTES) else {
                out.truncate(before);
                return false;
            };
            let within = (at % FRAME_BYTES) as usize;
            let length = ((wanted.range.end - at) as usize).min(frame.len().saturating_sub(within));
            if length == 0 {
                out.truncate(before);
                return false;
            }
            out.push(frame.slice(within..within + length));
            at += length as u32;
        }
        true
    }

    /// Gets bytes that are not in memory, all of them.
    async fn fetched(&self, node: NodeId, wanted: &Wanted) -> FsResult<Segments> {
        let frames = self.frames(node, wanted).await?;
        let (mut skip, mut left) = ((wanted.range.start % FRAME_BYTES) as usize, wanted.range.len());
        let mut out = Segments::with_capacity(frames.len());
        for frame in frames {
            let length = left.min(frame.len().saturating_sub(skip));
            out.push(frame.slice(skip..skip + length));
            left -= length;
            skip = 0;
        }
        if left > 0 { Err(self.share.damaged(node, wanted.from.object, "extent beyond block")) } else { Ok(out) }
    }

    /// The frames that have these bytes, from the caches, from whoever fetches them already, or from the store.
    async fn frames(&self, node: NodeId, wanted: &Wanted) -> FsResult<Vec<Bytes>> {
        let numbers = wanted.frames();
        if wanted.range.is_empty() || wanted.range.end > wanted.from.block.raw_len {
            return Err(self.share.damaged(node, wanted.from.object, "extent beyond block"));
        }
        let mut found: Vec<Option<Bytes>> = numbers.clone().map(|frame| self.frame(wanted, frame)).collect();
        let place = |frame: u32| (frame - numbers.start) as usize;
        for _ in 0..WAITS_MAX {
            let missing: Vec<u32> = numbers.clone().filter(|frame| found[place(*frame)].is_none()).collect();
            if missing.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
            let block = (wanted.from.object, wanted.from.block.at);
            let (claim, others) = self.flights.claim(block, missing.into_iter());
            if !claim.frames.is_empty() {
                let frames = self.bring(node, wanted, &claim.frames).await?;
                for (frame, bytes) in frames.iter().filter(|(frame, _)| numbers.contains(frame)) {
                    found[place(*frame)] = Some(bytes.clone());
                }
                claim.land(frames);
            }
            for flight in others {
                for (frame, bytes) in flight.frames().await.iter().filter(|(frame, _)| numbers.contains(frame)) {
                    found[place(*frame)].get_or_insert_with(|| bytes.clone());
                }
            }
        }
        Err(FsError::Busy)
    }

    /// A frame that is in memory.
    fn frame(&self, wanted: &Wanted, frame: u32) -> Option<Bytes> {
        let key = wanted.key(frame);
        let found = self.cache.frame(&key).or_else(|| self.readahead.staged(&key));
        found.filter(|bytes| bytes.len() == wanted.frame_len(frame))
    }

    /// Gets frames that nobody else fetches: what landed in memory meanwhile, what is on the disk, and the rest from the
    /// store.
    async fn bring(&self, node: NodeId, wanted: &Wanted, frames: &[u32]) -> FsResult<Vec<(u32, Bytes)>> {
        let (mut found, mut missing) = (Vec::with_capacity(frames.len()), Vec::new());
        let mut sort = |frame: u32, bytes: Option<Bytes>, missing: &mut Vec<u32>| match bytes {
            Some(bytes) => found.push((frame, bytes)),
            None => missing.push(frame),
        };
        frames.iter().for_each(|frame| sort(*frame, self.frame(wanted, *frame), &mut missing));
        if let Some(disk) = self.disk.as_ref().filter(|_| !missing.is_empty()) {
            let keys: Vec<FrameKey> = missing.drain(..).map(|frame| wanted.key(frame)).collect();
            for (key, bytes) in keys.iter().zip(disk.frames(&keys).await) {
                let bytes = bytes.filter(|bytes| bytes.len() == wanted.frame_len(key.frame));
                if let Some(bytes) = &bytes {
                    self.cache.insert(*key, bytes.clone());
                }
                sort(key.frame, bytes, &mut missing);
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        self.sealing.demand_key(node, &wanted.from)?;
        let fetched = match self.fetch(node, &wanted.from, &missing).await {
            // Perhaps only the answer was damaged.
            Err(FsError::Io) => self.fetch(node, &wanted.from, &missing).await?,
            fetched => fetched?,
        };
        found.extend(fetched);
        Ok(found)
    }

    /// Fetches frames of a block from the store, perhaps with some in between, checks them and puts them into the caches.
    async fn fetch(&self, node: NodeId, from: &Stored, frames: &[u32]) -> FsResult<Vec<(u32, Bytes)>> {
        let (head, mut gets, mut stored) = match self.known_head(from).await {
            Some(head) => (head, Vec::new(), Vec::new()),
            None => {
                let Gets { head, begins_with_head, frames: gets } = gets::without_head(&from.block, frames, self.reach);
                let alone = async { if head { self.fetch_head(node, from).await.map(Some) } else { Ok(None) } };
                let (alone, stored) = future::join(alone, self.fetch_all(node, from, &gets)).await;
                let (head, stored) = self.split_head(node, from, alone?, stored?, begins_with_head)?;
                (head, gets, stored)
            }
        };
        if gets.is_empty() {
            let known = gets::with_head(&head, frames, self.reach);
            gets = known.ok_or_else(|| self.share.damaged(node, from.object, "extent beyond block"))?;
            stored = self.fetch_all(node, from, &gets).await?;
        }
        let mut fetched = Vec::with_capacity(frames.len());
        for (get, stored) in gets.iter().zip(stored) {
            let run = head.frames_of(gets::raw_range(&get.frames, head.raw_len));
            let run = run.ok_or_else(|| self.share.damaged(node, from.object, "extent beyond block"))?;
            let checked = self.checked_frames(node, from, &head, &run, stored)?;
            fetched.extend(run.frames.clone().zip(checked));
        }
        Ok(fetched)
    }

    /// Gets ranges of a block, side by side.
    async fn fetch_all(&self, node: NodeId, from: &Stored, gets: &[Get]) -> FsResult<Vec<Vec<Bytes>>> {
        let at = from.block.at;
        let range = |get: &Get| at.saturating_add(get.stored.start)..at.saturating_add(get.stored.end);
        future::try_join_all(gets.iter().map(|get| self.object_bytes(node, from.object, range(get)))).await
    }

    /// The head, which came alone or before the first frames.
    fn split_head(
        &self,
        node: NodeId,
        from: &Stored,
        alone: Option<BlockHead>,
        mut stored: Vec<Vec<Bytes>>,
        begins_with_head: bool,
    ) -> FsResult<(BlockHead, Vec<Vec<Bytes>>)> {
        if let Some(head) = alone {
            return Ok((head, stored));
        }
        let first = stored.first_mut().filter(|_| begins_with_head);
        let first = first.ok_or_else(|| self.share.damaged(node, from.object, "short object"))?;
        let mut parts = Parts::new(std::mem::take(first));
        let head = self.checked_head(node, from, parts.take(head_len(from.block.raw_len) as usize))?;
        *first = parts.rest();
        Ok((head, stored))
    }

    fn checked_frames(
        &self,
        node: NodeId,
        from: &Stored,
        head: &BlockHead,
        run: &FrameRun,
        stored: Vec<Bytes>,
    ) -> FsResult<Vec<Bytes>> {
        let mut parts = Parts::new(stored);
        let mut frames = Vec::with_capacity(run.frames.len());
        for frame in head.stored_frames(run) {
            let damaged = |what: &dyn std::fmt::Display| self.share.damaged(node, from.object, &what.to_string());
            let stored = parts.take(frame.stored_len()).ok_or_else(|| damaged(&"short object"))?;
            head.verify(frame.index, &stored).map_err(|error| damaged(&error))?;
            let stored = self.sealing.opened(node, from, head, frame.index, stored)?;
            let bytes = match frame.codec {
                CODEC_NONE => stored,
                codec => {
                    let raw = self.sealing.decoded(codec, &stored, frame.raw_len as usize);
                    raw.map_err(|error| damaged(&error))?
                }
            };
            let key = FrameKey { object: from.object, block: from.block.at, frame: frame.index };
            self.keep(key, bytes.clone());
            frames.push(bytes);
        }
        Ok(frames)
    }

    /// A block's head from the caches.
    async fn known_head(&self, from: &Stored) -> Option<BlockHead> {
        let key = FrameKey { object: from.object, block: from.block.at, frame: HEAD };
        let known = self.heads.lock().find(&key);
        if let Some(bytes) = known {
            return read_head(from, &bytes);
        }
        let bytes = self.disk.as_ref()?.frames(&[key]).await.pop().flatten()?;
        let head = read_head(from, &bytes)?;
        self.heads.lock().put(key, bytes);
        Some(head)
    }

    /// Fetches a head, or waits for who fetches it.
    async fn fetch_head(&self, node: NodeId, from: &Stored) -> FsResult<BlockHead> {
        let BlockPlace { at, raw_len, .. } = from.block;
        for _ in 0..WAITS_MAX {
            let (claim, others) = self.flights.claim((from.object, at), std::iter::once(HEAD));
            if !claim.frames.is_empty() {
                let range = at..at.saturating_add(u64::from(head_len(raw_len)));
                let bytes =
                    Parts::new(self.object_bytes(node, from.object, range).await?).take(head_len(raw_len) as usize);
                let head = self.checked_head(node, from, bytes.clone())?;
                claim.land(bytes.into_iter().map(|bytes| (HEAD, bytes)).collect());
                return Ok(head);
            }
            for flight in others {
                let landed = flight.frames().await.iter().find(|(frame, _)| *frame == HEAD);
                if let Some(head) = landed.and_then(|(_, bytes)| read_head(from, bytes)) {
                    return Ok(head);
                }
            }
        }
        Err(FsError::Busy)
    }

    /// A head that was fetched, which has the table of checksums.
    fn checked_head(&self, node: NodeId, from: &Stored, bytes: Option<Bytes>) -> FsResult<BlockHead> {
        let bytes = bytes.ok_or_else(|| self.share.damaged(node, from.object, "short object"))?;
        let head = BlockHead::parse_in(&bytes, from.object, from.block.at);
        let head = head.map_err(|error| self.share.damaged(node, from.object, &error.to_string()))?;
        head.check_place(&from.block).map_err(|error| self.share.damaged(node, from.object, &error.to_string()))?;
        let key = FrameKey { object: from.object, block: from.block.at, frame: HEAD };
        // Without its only frame a small block is fetched as a whole.
        if head.frames.len() > 1 {
            if let Some(disk) = &self.disk {
                disk.insert(key, bytes.clone());
            }
            self.heads.lock().put(key, bytes);
        }
        Ok(head)
    }

    /// Puts what was fetched and checked into the caches.
    fn keep(&self, key: FrameKey, bytes: Bytes) {
        if let Some(disk) = &self.disk {
            disk.insert(key, bytes.clone());
        }
        self.cache.insert(key, bytes);
    }

    async fn object_bytes(&self, node: NodeId, object: ObjectId, range: Range<u64>) -> FsResult<Vec<Bytes>> {
        let bytes = range.end.saturating_sub(range.start);
        let departure = self.readahead.depart(self.share.monotonic());
        may_wait_outside();
        match self.content.get(self.share.id(), object, range).await {
            Ok(parts) => {
                self.outage.over();
                self.readahead.arrive(departure, bytes, self.share.monotonic());
                Ok(parts)
            }
            Err(ContentError::NotFound) => Err(FsError::Stale),
            Err(error @ ContentError::Unavailable(_)) => {
                self.outage.failed(self.share.monotonic());
                Err(self.share.content_failed(node, object, &error))
            }
            Err(error) => Err(self.share.content_failed(node, object, &error)),
        }
    }

    /// Gets bytes of several extents, side by side.
    pub(super) async fn fetched_at_once(&self, node: NodeId, wanted: Vec<Wanted>) -> FsResult<Vec<Segments>> {
        let fetches = wanted.into_iter().map(|wanted| async move { self.fetched(node, &wanted).await });
        stream::iter(fetches).buffered(EXTENTS_AT_ONCE).try_collect().await
    }
}

/// A head that was checked when it came.
fn read_head(from: &Stored, bytes: &[u8]) -> Option<BlockHead> {
    let head = BlockHead::parse_in(bytes, from.object, from.block.at).ok()?;
    head.check_place(&from.block).ok().map(|()| head)
}
