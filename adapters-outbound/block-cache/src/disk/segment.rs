//! One file of the cache.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSliceMut},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use dittofs_ports::FrameKey;
use rustix::io::{ReadWriteFlags, preadv2};

use super::format::{self, END_LEN, ENTRY_HEAD_LEN, HEADER_LEN, ROW_LEN, Row};

const EXTENSION: &str = ".frames";

/// The outcome of a read.
pub(super) enum Read {
    Frame(Bytes),
    /// The read would have to wait for the disk.
    Absent,
    /// It is not what was written there.
    Damaged,
    Failed(io::Error),
}

/// A file that is open. Its number is never used again, so that what is left of an older one is never taken for it.
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) file: File,
}

pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016x}{EXTENSION}"))
}

/// The number of the segment with this name.
pub(super) fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let is_ours = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_ours.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

impl Segment {
    pub(super) fn create(folder: &Path, number: u64) -> io::Result<Segment> {
        let path = path_of(folder, number);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.write_all_at(&format::header(number), 0)?;
        Ok(Segment { number, file })
    }

    /// Opens one and finds its entries; none if it is no segment.
    pub(super) fn open(folder: &Path, number: u64, rows_max: usize) -> io::Result<Option<(Segment, Vec<Row>, u64)>> {
        let file = File::open(path_of(folder, number))?;
        let length = file.metadata()?.len();
        let mut header = [0; HEADER_LEN];
        if length < HEADER_LEN as u64 || length > u64::from(u32::MAX) {
            return Ok(None);
        }
        file.read_exact_at(&mut header, 0)?;
        if !format::is_header(number, &header) {
            return Ok(None);
        }
        let segment = Segment { number, file };
        let rows = match segment.table(length, rows_max)? {
            Some(rows) => rows,
            None => segment.walk(length, rows_max)?,
        };
        Ok(Some((segment, rows, length)))
    }

    /// The table at the end, if it is whole.
    fn table(&self, length: u64, rows_max: usize) -> io::Result<Option<Vec<Row>>> {
        let mut end = [0; END_LEN];
        let Some(end_at) = length.checked_sub(END_LEN as u64) else { return Ok(None) };
        self.file.read_exact_at(&mut end, end_at)?;
        let Some((offset, rows)) = format::read_end(self.number, &end) else { return Ok(None) };
        let table_len = (rows as usize).saturating_mul(ROW_LEN).saturating_add(END_LEN);
        if rows as usize > rows_max || u64::from(offset).checked_add(table_len as u64) != Some(length) {
            return Ok(None);
        }
        let mut table = vec![0; table_len];
        self.file.read_exact_at(&mut table, u64::from(offset))?;
        Ok(format::read_table(&table, rows))
    }

    /// Goes from entry to entry; those behind one that makes no sense are lost.
    fn walk(&self, length: u64, rows_max: usize) -> io::Result<Vec<Row>> {
        let (mut rows, mut offset) = (Vec::new(), HEADER_LEN as u64);
        while rows.len() < rows_max && offset + ENTRY_HEAD_LEN as u64 <= length {
            let mut head = [0; ENTRY_HEAD_LEN];
            self.file.read_exact_at(&mut head, offset)?;
            let Some((key, len)) = format::read_entry_head(&head) else { break };
            let next = offset + ENTRY_HEAD_LEN as u64 + u64::from(len);
            if next > length {
                break;
            }
            rows.push(Row { hash: format::hash_of(&key), offset: offset as u32, len });
            offset = next;
        }
        Ok(rows)
    }

    /// Reads a frame and checks it; without waiting for the disk, if asked so.
    pub(super) fn read(&self, row: &Row, key: &FrameKey, nowait: bool) -> Read {
        let mut head = [0; ENTRY_HEAD_LEN];
        let mut frame = BytesMut::zeroed(row.len as usize);
        let wanted = head.len() + frame.len();
        let flags = if nowait { ReadWriteFlags::NOWAIT } else { ReadWriteFlags::empty() };
        let mut slices = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut frame)];
        match preadv2(&self.file, &mut slices, u64::from(row.offset), flags) {
            Ok(read) if read == wanted && format::is_entry(self.number, key, &head, &frame) => {
                Read::Frame(frame.freeze())
            }
            _ if nowait => Read::Absent,
            Ok(_) => Read::Damaged,
            Err(error) => Read::Failed(error.into()),
        }
    }

    /// The key of an entry, as its head says it.
    pub(super) fn key(&self, row: &Row) -> Option<FrameKey> {
        let mut head = [0; ENTRY_HEAD_LEN];
        self.file.read_exact_at(&mut head, u64::from(row.offset)).ok()?;
        let (key, len) = format::read_entry_head(&head)?;
        (len == row.len && format::hash_of(&key) == row.hash).then_some(key)
    }
}
