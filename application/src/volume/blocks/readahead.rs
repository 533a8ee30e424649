//! Reading ahead: who reads a file in order finds the next frames in memory.
//!
//! A reader that goes on where its last read ended gets a window that doubles with each such read, up to what the link
//! carries. What the window holds is fetched by tasks in the background, which ask the same caches and the same store
//! as the reader: one fetch whoever comes first.

mod pace;

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    time::Duration,
};

use bytes::Bytes;
use dittofs_domain::{
    ClientId, NodeId,
    content::map::{self, Piece, Source},
    error::FsResult,
    opens::OpenToken,
    plan::Query,
};
use dittofs_ports::{Caller, FrameKey};
use futures_util::stream::{self, StreamExt};
use pace::{Departure, Link};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Wanted, newest::Newest};
use crate::volume::blocks::BlockReader;
pub(super) use pace::Pace;

/// Shorter reads are not taken for a copy of a file: a frame, below which each read costs a look-up and gains little.
const READ_BYTES_MIN: u64 = 32 << 10;
/// Readers that are followed at the same time. It bounds memory: beyond, those that were away for long are forgotten, and
/// all if there are none.
const STREAMS_MAX: usize = 1_024;
/// Fetches that wait: more would come too late.
const QUEUE_MAX: usize = 64;
/// Extents of one step that are fetched at the same time. A step has one or two where a file was written in order; of a
/// scattered one each may be a request.
const EXTENTS_AT_ONCE: usize = 8;
/// As many reads as this are taken to be on their way at once, and to come in any order. Linux has several reads of a
/// file on their way, on more than one connection.
const NEAR_READS: u64 = 8;
const NEAR_MIN: u64 = 1 << 20;
/// A request for fewer bytes says nothing about the link. The round trip is most of its time.
const MEASURED_BYTES_MIN: u64 = 512 << 10;
/// A reader that was away for so long has no part of the window any more. Longer than a program computes between two
/// reads, and the memory is for others soon.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// Who reads a file: the open that it reads through, or the client where the protocol has no opens. Two that read one
/// file at different places are both in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::volume) struct Reader {
    node: NodeId,
    client: ClientId,
    open: Option<OpenToken>,
}

impl Reader {
    /// The caller as a reader of a file.
    pub(in crate::volume) fn of(caller: &Caller, node: NodeId) -> Reader {
        Reader { node, client: caller.client, open: caller.opener }
    }
}

/// How far a reader has come, and what is fetched ahead of it.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Where the next read starts if it goes on in order.
    next: u64,
    /// Up to where fetches were asked for.
    ahead: u64,
    window: u64,
    /// When it was read last.
    at: Duration,
}

/// Who reads in order, and what is to be fetched for them.
#[derive(Debug)]
pub(in crate::volume) struct Readahead {
    pace: Pace,
    link: Link,
    streams: Mutex<HashMap<Reader, Stream>>,
    queue: Mutex<VecDeque<(Reader, Range<u64>)>>,
    /// The bytes that have come. The cache may refuse to keep them: it does not know that somebody will want them soon.
    staged: Mutex<Newest>,
    asked: Notify,
}

impl Readahead {
    /// Returns how many tasks fetch.
    pub(in crate::volume) fn fetchers(&self) -> usize {
        self.pace.fetchers
    }

    pub(super) fn new(pace: Pace) -> Readahead {
        Readahead {
            pace,
            link: Link::default(),
            streams: Mutex::default(),
            queue: Mutex::default(),
            staged: Mutex::new(Newest::new(pace.window_max)),
            asked: Notify::new(),
        }
    }

    /// A frame that was fetched ahead.
    pub(super) fn staged(&self, key: &FrameKey) -> Option<Bytes> {
        self.staged.lock().find(key)
    }

    /// Notes that a request goes to the store.
    pub(super) fn depart(&self, now: Duration) -> Departure {
        self.link.depart(now)
    }

    /// Notes that a request has brought so many bytes. Small ones say nothing about the link.
    pub(super) fn arrive(&self, departure: Departure, bytes: u64, now: Duration) {
        if bytes >= MEASURED_BYTES_MIN {
            self.link.arrive(departure, bytes, now);
        }
    }

    /// Notes a read of a range of a file of some size, and asks for what comes next if it goes on in order.
    pub(in crate::volume) fn note(&self, reader: Reader, range: &Range<u64>, size: u64, now: Duration) {
        if range.end.saturating_sub(range.start) < READ_BYTES_MIN || range.end >= size {
            return;
        }
        let wanted = {
            let mut streams = self.streams.lock();
            if streams.len() >= STREAMS_MAX && !streams.contains_key(&reader) {
                streams.retain(|_, stream| now.saturating_sub(stream.at) < IDLE_MAX);
                if streams.len() >= STREAMS_MAX {
                    streams.clear();
                }
            }
            let window_max = self.window_max(&streams, now);
            let stream = streams.entry(reader).or_default();
            stream.at = now;
            stream.read(range, size, &Pace { window_max, ..self.pace })
        };
        if !wanted.is_empty() {
            self.ask(reader, wanted);
        }
    }

    /// The window of one of these readers: they share what the link carries.
    fn window_max(&self, streams: &HashMap<Reader, Stream>, now: Duration) -> u64 {
        let reading = |stream: &&Stream| stream.window > 0 && now.saturating_sub(stream.at) < IDLE_MAX;
        let readers = match streams.len() {
            0 | 1 => 1,
            _ => streams.values().filter(reading).count().max(1) as u64,
        };
        let all = match self.link.window() {
            Some(window) if self.pace.is_measured => window.clamp(self.pace.window_min, self.pace.window_max),
            _ => self.pace.window_max,
        };
        let part = if self.pace.is_measured { all / readers } else { all };
        part.max(self.pace.step)
    }

    fn ask(&self, reader: Reader, wanted: Range<u64>) {
        let mut queue = self.queue.lock();
        let mut at = wanted.start;
        while at < wanted.end && queue.len() < QUEUE_MAX {
            let end = (at / self.pace.step + 1).saturating_mul(self.pace.step).min(wanted.end);
            queue.push_back((reader, at..end));
            self.asked.notify_one();
            at = end;
        }
    }

    /// Takes the next range to fetch. Skips what its reader has fetched by itself meanwhile.
    fn take(&self) -> Option<(NodeId, Range<u64>)> {
        loop {
            let mut queue = self.queue.lock();
            let (reader, range) = queue.pop_front()?;
            if !queue.is_empty() {
                self.asked.notify_one();
            }
            drop(queue);
            if self.streams.lock().get(&reader).is_none_or(|stream| range.end > stream.next) {
                return Some((reader.node, range));
            }
        }
    }
}

impl Stream {
    /// Notes a read, and returns the range to fetch after it.
    fn read(&mut self, range: &Range<u64>, size: u64, pace: &Pace) -> Range<u64> {
        // Clients send reads of one copy out of order: a read that is near counts as in order.
        let length = range.end.saturating_sub(range.start);
        let near = length.saturating_mul(NEAR_READS).clamp(NEAR_MIN, pace.step.max(NEAR_MIN));
        let in_order = range.start <= self.next.saturating_add(near) && range.end > self.next.saturating_sub(near);
        if !in_order || self.next == 0 {
            *self = Stream { next: range.end, ahead: range.end, window: 0, at: self.at };
            return 0..0;
        }
        self.next = self.next.max(range.end);
        self.window = (self.window * 2).clamp(pace.step.min(pace.window_max), pace.window_max);
        let (from, to) = (self.ahead.max(self.next), self.next.saturating_add(self.window).min(size));
        // In large steps, so that few requests go out.
        let least = (self.window / 2).min(pace.step).min(size.saturating_sub(from));
        if to.saturating_sub(from) < least {
            return 0..0;
        }
        // Whole steps, but for the first and the last.
        let to = if to < size && to / pace.step > from / pace.step { to - to % pace.step } else { to };
        self.ahead = to.max(from);
        from..self.ahead
    }
}

impl BlockReader {
    /// Fetches what was asked for, until the volume closes.
    pub(in crate::volume) async fn read_ahead_loop(&self) {
        while !self.share.is_closing() {
            let asked = self.readahead.asked.notified();
            match self.readahead.take() {
                // A fetch that fails here fails again where the bytes are read, and is reported there.
                Some((node, range)) => drop(self.fetch_ahead(node, range).await),
                None => self.share.until_closed_or(asked).await,
            }
        }
    }

    async fn fetch_ahead(&self, node: NodeId, range: Range<u64>) -> FsResult<()> {
        let query = Query { map: Some(map::resolve_query(node, &range, self.share.scale())), ..Query::node(node) };
        let view = self.nodes.view(&query).await?;
        let stored = view.node(node)?;
        let pieces = map::resolve(&view.map, &self.share.facts(stored), range);
        let pieces = pieces.map_err(|error| self.share.map_failed(node, &error))?;
        let wanted = pieces.into_iter().filter_map(|piece| match piece {
            Piece { len, source: Source::Stored(from), .. } => Some(Wanted::of(&from, 0, len as u32)),
            _ => None,
        });
        let fetches = wanted.map(|wanted| async move { self.stage(node, &wanted).await });
        let mut fetches = stream::iter(fetches).buffer_unordered(EXTENTS_AT_ONCE);
        while let Some(staged) = fetches.next().await {
            staged?;
        }
        Ok(())
    }

    async fn stage(&self, node: NodeId, wanted: &Wanted) -> FsResult<()> {
        let frames = self.frames(node, wanted).await?;
        let mut staged = self.readahead.staged.lock();
        for (key, frame) in wanted.keys().zip(frames) {
            staged.put(key, frame);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
