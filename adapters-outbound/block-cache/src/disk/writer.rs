//! The thread that writes.

use std::{
    io,
    os::unix::fs::FileExt,
    sync::{Arc, atomic::Ordering},
};

use bytes::{BufMut, Bytes, BytesMut};
use dittofs_ports::FrameKey;

use super::{
    format::{self, END_LEN, ENTRY_HEAD_LEN, HEADER_LEN, ROW_LEN, Row},
    segment::{self, Read, Segment},
    state::State,
};

/// Entries of a segment are this large on average, or it ends early. Segments are counted as well, so the index is bounded.
pub(super) const ENTRY_BYTES_MEAN_MIN: u64 = 4 << 10;
/// Bytes that are written at a time. Eight frames in one call of the system; more would keep more memory for hardly
/// fewer calls.
const BATCH_BYTES: usize = 256 << 10;
/// Of what goes so many bytes are kept at a time; they are in memory for a moment.
const KEPT_BYTES_MAX: u64 = 8 << 20;

/// The segment that is written to.
struct Open {
    segment: Arc<Segment>,
    rows: Vec<Row>,
    /// Where the next entry comes.
    offset: u64,
    /// Entries that are not written yet.
    batch: BytesMut,
    batch_at: u64,
    batch_rows: usize,
}

/// Writes what is offered until the cache is closed, or its disk fails.
pub(super) fn run(state: &State) {
    let mut open = None;
    while let Some(frames) = state.take() {
        for (key, frame) in frames {
            if state.is_off() {
                return;
            }
            let put = put(state, &mut open, &key, &frame);
            let length = frame.len();
            drop(frame);
            state.wrote(length);
            if let Err(error) = put {
                state.give_up("can't be written", &error);
                return;
            }
        }
        if let Some(Err(error)) = open.as_mut().map(|open: &mut Open| open.write_batch(state)) {
            state.give_up("can't be written", &error);
            return;
        }
    }
    if let Some(open) = open.filter(|_| !state.is_off())
        && let Err(error) = open.seal(state)
    {
        state.give_up("can't be written", &error);
    }
}

fn put(state: &State, open: &mut Option<Open>, key: &FrameKey, frame: &Bytes) -> io::Result<()> {
    let hash = format::hash_of(key);
    if state.index.lock().contains(hash) {
        return Ok(());
    }
    if open.as_ref().is_some_and(|open| open.is_full(state))
        && let Some(full) = open.take()
    {
        full.seal(state)?;
    }
    match open {
        Some(open) => open.put(state, key, hash, frame),
        None => {
            let mut new = begin(state)?;
            let put = new.put(state, key, hash, frame);
            *open = Some(new);
            put
        }
    }
}

/// Makes room and begins a segment, with what is worth keeping of those that went.
fn begin(state: &State) -> io::Result<Open> {
    let mut kept = Vec::new();
    // So that there is room for what is new.
    let mut left = (state.segment_bytes() / 2).min(KEPT_BYTES_MAX);
    loop {
        let mut index = state.index.lock();
        let is_room = index.bytes() + state.segment_bytes() <= state.limit && index.segments() < state.segments_max();
        if is_room || index.segments() == 0 {
            break;
        }
        let popped = index.pop();
        drop(index);
        let Some((segment, read)) = popped else { break };
        kept.extend(keep(&segment, &read, &mut left));
        match std::fs::remove_file(segment::path_of(&state.folder, segment.number)) {
            // Somebody has wiped the folder.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let number = state.next_number.fetch_add(1, Ordering::Relaxed);
    let segment = Arc::new(Segment::create(&state.folder, number)?);
    state.index.lock().push(Arc::clone(&segment), &[], HEADER_LEN as u64);
    let mut open = Open {
        segment,
        rows: Vec::new(),
        offset: HEADER_LEN as u64,
        batch: BytesMut::new(),
        batch_at: HEADER_LEN as u64,
        batch_rows: 0,
    };
    for (key, frame) in kept {
        open.put(state, &key, format::hash_of(&key), &frame)?;
    }
    Ok(open)
}

/// Returns the frames of a segment that are kept, up to so many bytes.
fn keep(segment: &Segment, read: &[Row], left: &mut u64) -> Vec<(FrameKey, Bytes)> {
    let mut kept = Vec::new();
    for row in read.iter().rev() {
        *left = match left.checked_sub((ENTRY_HEAD_LEN as u64 + u64::from(row.len)).max(ENTRY_BYTES_MEAN_MIN)) {
            Some(left) => left,
            None => break,
        };
        let Some(key) = segment.key(row) else { continue };
        if let Read::Frame(frame) = segment.read(row, &key, false) {
            kept.push((key, frame));
        }
    }
    kept
}

impl Open {
    fn is_full(&self, state: &State) -> bool {
        let more = format::FRAME_LEN_MAX + ENTRY_HEAD_LEN + END_LEN;
        let room = state.segment_bytes().saturating_sub(more as u64);
        let rows = (self.rows.len() as u64 + 1) * ROW_LEN as u64;
        self.offset + rows >= room || self.rows.len() as u64 >= rows_max(state)
    }

    fn put(&mut self, state: &State, key: &FrameKey, hash: u64, frame: &Bytes) -> io::Result<()> {
        let Ok(offset) = u32::try_from(self.offset) else { return Ok(()) };
        self.batch.reserve(BATCH_BYTES);
        self.batch.put_slice(&format::entry_head(self.segment.number, key, frame));
        self.batch.put_slice(frame);
        self.rows.push(Row { hash, offset, len: frame.len() as u32 });
        self.offset += (ENTRY_HEAD_LEN + frame.len()) as u64;
        if self.batch.len() >= BATCH_BYTES - format::FRAME_LEN_MAX { self.write_batch(state) } else { Ok(()) }
    }

    /// Entries are found once they are written.
    fn write_batch(&mut self, state: &State) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.segment.file.write_all_at(&self.batch, self.batch_at)?;
        self.batch_at += self.batch.len() as u64;
        self.batch.clear();
        let mut index = state.index.lock();
        self.rows.iter().skip(self.batch_rows).for_each(|row| index.add(*row));
        self.batch_rows = self.rows.len();
        Ok(())
    }

    fn seal(mut self, state: &State) -> io::Result<()> {
        self.write_batch(state)?;
        let Ok(offset) = u32::try_from(self.offset) else { return Ok(()) };
        let table = format::table(self.segment.number, offset, &self.rows);
        self.segment.file.write_all_at(&table, self.offset)?;
        state.index.lock().sealed(self.offset + table.len() as u64);
        Ok(())
    }
}

/// Entries of a segment.
pub(super) fn rows_max(state: &State) -> u64 {
    state.segment_bytes() / ENTRY_BYTES_MEAN_MIN
}
