//! Bytes from objects: through the cache, frame by frame, each checked once.

use bytes::{Bytes, BytesMut};
use dittofs_domain::{
    NodeId, ObjectId,
    content::{
        BlockPlace, Stored,
        block::{BlockHead, CODEC_NONE, FrameRun, head_len},
    },
    error::{FsError, FsResult},
};
use dittofs_ports::{ContentError, FrameKey};

use super::{Volume, read::Segments};

/// The frame number under which a block's head is cached.
const HEAD: u32 = u32::MAX;

impl Volume {
    /// Bytes `skip .. skip + length` of an extent, from the cache or the content store.
    pub(super) async fn stored(
        &self,
        node: NodeId,
        from: &Stored,
        skip: u32,
        length: u32,
        out: &mut Segments,
    ) -> FsResult<()> {
        let start = from.skip + skip;
        let range = start..start + length;
        if self.cached(from, &range, out) {
            return Ok(());
        }
        self.demand_key(node, from)?;
        let key = (from.object.0, from.block.at);
        let _fetch = self.fetches.lock(key).await;
        if self.cached(from, &range, out) {
            return Ok(());
        }
        let frames = match self.fetch(node, from, range.clone()).await {
            // Perhaps only the answer was damaged.
            Err(FsError::Io) if self.outage.lasts(self.machine.clock.monotonic()).is_none() => {
                self.fetch(node, from, range).await?
            }
            fetched => fetched?,
        };
        out.extend(frames);
        Ok(())
    }

    /// Takes a range from the cache, all of it or nothing.
    fn cached(&self, from: &Stored, range: &std::ops::Range<u32>, out: &mut Segments) -> bool {
        let before = out.len();
        let mut at = range.start;
        while at < range.end {
            let frame = at / dittofs_domain::content::FRAME_BYTES;
            let key = FrameKey { object: from.object, block: from.block.at, frame };
            let within = (at % dittofs_domain::content::FRAME_BYTES) as usize;
            let wanted = ((range.end - at) as usize).min(dittofs_domain::content::FRAME_BYTES as usize - within);
            let bytes = self.stores.cache.frame(&key).filter(|bytes| bytes.len() >= within + wanted);
            let Some(bytes) = bytes else {
                out.truncate(before);
                return false;
            };
            out.push(bytes.slice(within..within + wanted));
            at += wanted as u32;
        }
        true
    }

    /// Fetches the frames that have a range of a block, checks them and puts them into the cache.
    async fn fetch(&self, node: NodeId, from: &Stored, range: std::ops::Range<u32>) -> FsResult<Vec<Bytes>> {
        let head = self.head(node, from).await?;
        let run =
            head.frames_of(range.clone()).ok_or_else(|| self.damaged(node, from.object, "extent beyond block"))?;
        let at = from.block.at;
        let stored = self.object_bytes(node, from.object, at + run.stored.start..at + run.stored.end).await?;
        let frames = self.checked_frames(node, from, &head, &run, stored)?;
        let mut out = Vec::with_capacity(frames.len());
        let (mut skip, mut left) = (run.skip as usize, range.len());
        for frame in frames {
            let wanted = left.min(frame.len() - skip);
            out.push(frame.slice(skip..skip + wanted));
            left -= wanted;
            skip = 0;
        }
        Ok(out)
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
            let damaged = |what: &dyn std::fmt::Display| self.damaged(node, from.object, &what.to_string());
            let stored = parts.take(frame.stored_len()).ok_or_else(|| damaged(&"short object"))?;
            head.verify(frame.index, &stored).map_err(|error| damaged(&error))?;
            let stored = self.opened(node, from, head, frame.index, stored)?;
            let bytes = match frame.codec {
                CODEC_NONE => stored,
                codec => {
                    let raw = self.stores.codec.decode(codec, &stored, frame.raw_len as usize);
                    raw.map_err(|error| damaged(&error))?
                }
            };
            let key = FrameKey { object: from.object, block: from.block.at, frame: frame.index };
            self.stores.cache.insert(key, bytes.clone());
            frames.push(bytes);
        }
        Ok(frames)
    }

    /// A block's head, which has its table of checksums.
    async fn head(&self, node: NodeId, from: &Stored) -> FsResult<BlockHead> {
        let BlockPlace { at, raw_len, .. } = from.block;
        let key = FrameKey { object: from.object, block: at, frame: HEAD };
        let bytes = match self.stores.cache.frame(&key) {
            Some(bytes) => bytes,
            None => {
                let parts = self.object_bytes(node, from.object, at..at + u64::from(head_len(raw_len))).await?;
                let mut parts = Parts::new(parts);
                let bytes = parts.take(head_len(raw_len) as usize);
                bytes.ok_or_else(|| self.damaged(node, from.object, "short object"))?
            }
        };
        let head = BlockHead::parse_in(&bytes, from.object, at);
        let head = head.map_err(|error| self.damaged(node, from.object, &error.to_string()))?;
        head.check_place(&from.block).map_err(|error| self.damaged(node, from.object, &error.to_string()))?;
        self.stores.cache.insert(key, bytes);
        Ok(head)
    }

    async fn object_bytes(&self, node: NodeId, object: ObjectId, range: std::ops::Range<u64>) -> FsResult<Vec<Bytes>> {
        match self.stores.content.get(self.share(), object, range).await {
            Ok(parts) => {
                self.outage.over();
                Ok(parts)
            }
            Err(ContentError::NotFound) => Err(FsError::Stale),
            Err(error @ ContentError::Unavailable(_)) => {
                let busy = self.content_failed(node, object, &error);
                let lasts = self.outage.failed(self.machine.clock.monotonic());
                Err(if lasts > self.outage_max { FsError::Io } else { busy })
            }
            Err(error) => Err(self.content_failed(node, object, &error)),
        }
    }

    pub(super) fn content_failed(&self, node: NodeId, object: ObjectId, error: &ContentError) -> FsError {
        match error {
            ContentError::Unavailable(_) => {
                tracing::warn!(share = %self.name, %node, %object, %error, "content store does not answer");
                FsError::Busy
            }
            ContentError::Full => FsError::NoSpace,
            ContentError::NotFound | ContentError::Exists | ContentError::Corrupt(_) => {
                self.counters.damaged_reads.count();
                tracing::error!(share = %self.name, %node, %object, %error, "content store is damaged");
                FsError::Io
            }
        }
    }

    fn damaged(&self, node: NodeId, object: ObjectId, what: &str) -> FsError {
        self.counters.damaged_reads.count();
        tracing::error!(share = %self.name, %node, %object, what, "an object is damaged");
        FsError::Io
    }
}

/// Bytes in several parts, taken in runs of given lengths: copied only where a run spans parts.
struct Parts {
    parts: std::vec::IntoIter<Bytes>,
    first: Bytes,
}

impl Parts {
    fn new(parts: Vec<Bytes>) -> Parts {
        Parts { parts: parts.into_iter(), first: Bytes::new() }
    }

    fn take(&mut self, length: usize) -> Option<Bytes> {
        while self.first.is_empty() && length > 0 {
            self.first = self.parts.next()?;
        }
        if self.first.len() >= length {
            return Some(self.first.split_to(length));
        }
        let mut whole = BytesMut::with_capacity(length);
        while whole.len() < length {
            if self.first.is_empty() {
                self.first = self.parts.next()?;
            }
            let wanted = (length - whole.len()).min(self.first.len());
            whole.extend_from_slice(&self.first.split_to(wanted));
        }
        Some(whole.freeze())
    }
}
