//! Reading ahead: who reads a file in order finds the next frames in the cache.
//!
//! A reader that goes on where its last read ended gets a window that doubles with each such read. What the window holds
//! is fetched by tasks in the background, which ask the same cache and the same store as the reader: one fetch whoever
//! comes first.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::atomic::Ordering,
};

use dittofs_domain::{
    NodeId,
    content::map::{self, Piece, Source},
    error::FsResult,
    plan::Query,
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Volume, read::Segments};

/// Tasks that fetch ahead.
pub(super) const FETCHERS: usize = 4;
/// Shorter reads are not taken for a copy of a file.
const READ_BYTES_MIN: u64 = 32 << 10;
const WINDOW_MIN: u64 = 1 << 20;
const WINDOW_MAX: u64 = 16 << 20;
/// What one task fetches at a time.
const STEP: u64 = 1 << 20;
/// Files that are followed at the same time.
const STREAMS_MAX: usize = 1_024;
/// Fetches that wait: more would come too late.
const QUEUE_MAX: usize = 64;

/// How far a file is read, and fetched ahead.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Where the next read starts if it goes on in order.
    next: u64,
    /// Up to where fetches were asked for.
    ahead: u64,
    window: u64,
}

/// Who reads in order, and what is to be fetched for them.
#[derive(Debug, Default)]
pub(super) struct Readahead {
    streams: Mutex<HashMap<NodeId, Stream>>,
    queue: Mutex<VecDeque<(NodeId, Range<u64>)>>,
    asked: Notify,
}

impl Readahead {
    /// Notes a read of a range of a file of some size, and asks for what comes next if it goes on in order.
    pub(super) fn note(&self, node: NodeId, range: &Range<u64>, size: u64) {
        if range.end.saturating_sub(range.start) < READ_BYTES_MIN || range.end >= size {
            return;
        }
        let wanted = {
            let mut streams = self.streams.lock();
            if streams.len() >= STREAMS_MAX && !streams.contains_key(&node) {
                streams.clear();
            }
            streams.entry(node).or_default().read(range, size)
        };
        if !wanted.is_empty() {
            self.ask(node, wanted);
        }
    }

    fn ask(&self, node: NodeId, wanted: Range<u64>) {
        let mut queue = self.queue.lock();
        let mut at = wanted.start;
        while at < wanted.end && queue.len() < QUEUE_MAX {
            let end = (at / STEP + 1).saturating_mul(STEP).min(wanted.end);
            queue.push_back((node, at..end));
            at = end;
        }
        drop(queue);
        self.asked.notify_waiters();
    }

    fn take(&self) -> Option<(NodeId, Range<u64>)> {
        self.queue.lock().pop_front()
    }
}

impl Stream {
    /// What to fetch after a read.
    fn read(&mut self, range: &Range<u64>, size: u64) -> Range<u64> {
        // Clients send reads of one copy out of order: what is near counts as in order.
        let in_order = range.start <= self.next.saturating_add(STEP) && range.end > self.next.saturating_sub(STEP);
        if !in_order || self.next == 0 {
            *self = Stream { next: range.end, ahead: range.end, window: 0 };
            return 0..0;
        }
        self.next = self.next.max(range.end);
        self.window = (self.window * 2).clamp(WINDOW_MIN, WINDOW_MAX);
        let (from, to) = (self.ahead.max(self.next), self.next.saturating_add(self.window).min(size));
        // In large steps, so that few requests go out.
        if to.saturating_sub(from) < (self.window / 2).min(size.saturating_sub(from)) {
            return 0..0;
        }
        self.ahead = to.max(from);
        from..self.ahead
    }
}

impl Volume {
    /// Fetches what was asked for, until the volume closes.
    pub(super) async fn read_ahead_loop(&self) {
        while !self.closing.load(Ordering::Acquire) {
            let asked = self.readahead.asked.notified();
            match self.readahead.take() {
                // What fails here fails again, and is told, where it is read.
                Some((node, range)) => drop(self.fetch_ahead(node, range).await),
                None => self.until_closed_or(asked).await,
            }
        }
    }

    async fn fetch_ahead(&self, node: NodeId, range: Range<u64>) -> FsResult<()> {
        let query = Query { map: Some(map::resolve_query(node, &range)), ..Query::node(node) };
        let view = self.view(&query).await?;
        let stored = view.node(node)?;
        let pieces = map::resolve(&view.map, stored.clip, stored.size, range);
        for piece in pieces.map_err(|error| self.map_failed(node, &error))? {
            if let Piece { len, source: Source::Stored(from), .. } = piece {
                self.stored(node, &from, 0, len as u32, &mut Segments::new()).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
