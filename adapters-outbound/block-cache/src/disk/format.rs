//! The format of the files, version 1. All numbers are little-endian.
//!
//! A segment is a header, entries one after another, and, once it is full, a table of them:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic, `DFCACHE1` |
//! | 8 | 8 | the segment's number |
//! | 16 | | entries: head, then the frame |
//! | | 16 n | table: hash of the key (8), offset of the entry (4), length of the frame (4) |
//! | | 32 | end: magic `DFCTABLE` (8), number (8), entries (4), table's offset (4), XXH3 of the table and what precedes this (8) |
//!
//! | entry's head | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic, `DFCE` |
//! | 4 | 4 | length of the frame |
//! | 8 | 16 | object |
//! | 24 | 8 | the block's offset in it |
//! | 32 | 4 | which frame |
//! | 36 | 4 | 0 |
//! | 40 | 8 | XXH3 of the frame, seeded by that of the head before this one and of the segment's number |

use dittofs_domain::ObjectId;
use dittofs_ports::FrameKey;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The first line of the mark.
pub(super) const MARK: &str = "dittofs cache, format ";
pub(super) const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"DFCACHE1";
const TABLE_MAGIC: &[u8; 8] = b"DFCTABLE";
const ENTRY_MAGIC: &[u8; 4] = b"DFCE";

pub(super) const HEADER_LEN: usize = 16;
pub(super) const ENTRY_HEAD_LEN: usize = 48;
pub(super) const ROW_LEN: usize = 16;
pub(super) const END_LEN: usize = 32;
/// Frames are 32 KiB; nothing longer is kept.
pub(super) const FRAME_LEN_MAX: usize = 64 << 10;

/// The fields of an entry that the index needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) hash: u64,
    /// Of the entry's head in the segment.
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// The hash by which a key is found, the same for ever.
pub(super) fn hash_of(key: &FrameKey) -> u64 {
    xxh3_64(&key_bytes(key))
}

fn key_bytes(key: &FrameKey) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..16].copy_from_slice(&key.object.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&key.block.to_le_bytes());
    bytes[24..].copy_from_slice(&key.frame.to_le_bytes());
    bytes
}

pub(super) fn header(number: u64) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    bytes
}

pub(super) fn entry_head(number: u64, key: &FrameKey, frame: &[u8]) -> [u8; ENTRY_HEAD_LEN] {
    let mut bytes = [0; ENTRY_HEAD_LEN];
    bytes[..4].copy_from_slice(ENTRY_MAGIC);
    bytes[4..8].copy_from_slice(&(frame.len() as u32).to_le_bytes());
    bytes[8..36].copy_from_slice(&key_bytes(key));
    let sum = checksum(number, &bytes, frame);
    bytes[40..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn checksum(number: u64, head: &[u8; ENTRY_HEAD_LEN], frame: &[u8]) -> u64 {
    xxh3_64_with_seed(frame, xxh3_64_with_seed(&head[..40], number))
}

/// Whether a frame was written as this one.
pub(super) fn is_entry(number: u64, key: &FrameKey, head: &[u8; ENTRY_HEAD_LEN], frame: &[u8]) -> bool {
    *head == entry_head(number, key, frame)
}

/// The key and the frame's length, as far as a head can be believed without its frame.
pub(super) fn read_entry_head(head: &[u8; ENTRY_HEAD_LEN]) -> Option<(FrameKey, u32)> {
    let mut fields = Fields(head);
    let magic = fields.take::<4>()?;
    let len = u32::from_le_bytes(fields.take()?);
    let object = ObjectId(u128::from_le_bytes(fields.take()?));
    let block = u64::from_le_bytes(fields.take()?);
    let frame = u32::from_le_bytes(fields.take()?);
    let is_sound = magic == *ENTRY_MAGIC && len > 0 && len as usize <= FRAME_LEN_MAX;
    is_sound.then_some((FrameKey { object, block, frame }, len))
}

/// The table and the end of a segment whose entries end at an offset.
pub(super) fn table(number: u64, offset: u32, rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * ROW_LEN + END_LEN);
    for row in rows {
        bytes.extend_from_slice(&row.hash.to_le_bytes());
        bytes.extend_from_slice(&row.offset.to_le_bytes());
        bytes.extend_from_slice(&row.len.to_le_bytes());
    }
    bytes.extend_from_slice(TABLE_MAGIC);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&offset.to_le_bytes());
    let sum = xxh3_64(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Where the table begins and how many rows it has, as the end of a file says.
pub(super) fn read_end(number: u64, end: &[u8; END_LEN]) -> Option<(u32, u32)> {
    let mut fields = Fields(end);
    let (magic, found) = (fields.take::<8>()?, u64::from_le_bytes(fields.take()?));
    let rows = u32::from_le_bytes(fields.take()?);
    let offset = u32::from_le_bytes(fields.take()?);
    (magic == *TABLE_MAGIC && found == number).then_some((offset, rows))
}

/// The rows of a table, read with the end behind it.
pub(super) fn read_table(bytes: &[u8], rows: u32) -> Option<Vec<Row>> {
    let (summed, sum) = bytes.split_at_checked(bytes.len().checked_sub(8)?)?;
    if u64::from_le_bytes(sum.try_into().ok()?) != xxh3_64(summed) {
        return None;
    }
    let mut fields = Fields(summed);
    (0..rows)
        .map(|_| {
            let hash = u64::from_le_bytes(fields.take()?);
            let offset = u32::from_le_bytes(fields.take()?);
            let len = u32::from_le_bytes(fields.take()?);
            (len as usize <= FRAME_LEN_MAX).then_some(Row { hash, offset, len })
        })
        .collect()
}

pub(super) fn is_header(number: u64, bytes: &[u8; HEADER_LEN]) -> bool {
    *bytes == header(number)
}

/// Fields, read in order.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}
