//! The log as bytes. See `docs/decisions/0008-log-before-redb.md`.

use dittofs_domain::crc32c::{crc32c, crc32c_append};

use crate::codec::Reader;

/// The format that this release writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = 1;
/// Where the first record is.
pub(super) const HEAD_LEN: u64 = 4_096;
/// Bytes of a record before its payload.
pub(super) const RECORD_HEAD_LEN: usize = 40;
/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 8;

/// Where the head says which opening of the database used the log last. Earlier releases left zeros there.
pub(super) const STAMP_AT: u64 = 512;

const MAGIC_STAMP: &[u8; 4] = b"DFMO";
const MAGIC_HEAD: &[u8; 8] = b"DFMLOG\r\n";
pub(super) const MAGIC_RECORD: &[u8; 4] = b"DFML";
/// Bytes of a record's head that its checksum is over.
const CHECKED_LEN: usize = 32;

/// The meaning of the head of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A log of the store with this id.
    Of(u128),
    /// Of a newer format.
    Newer(u32),
    /// Not a log, or damaged.
    Nonsense,
}

/// The head: magic, format (4), 0 (4), id of the store (16), CRC32C of all before (4).
pub(super) fn encode_head(store: u128) -> Vec<u8> {
    let mut out = MAGIC_HEAD.to_vec();
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&store.to_le_bytes());
    out.extend_from_slice(&crc32c(&out).to_le_bytes());
    out
}

pub(super) fn decode_head(bytes: &[u8]) -> Head {
    read_head(bytes).unwrap_or(Head::Nonsense)
}

fn read_head(bytes: &[u8]) -> Option<Head> {
    let mut reader = Reader::new(bytes);
    reader.array().filter(|magic| magic == MAGIC_HEAD)?;
    let format = reader.u32()?;
    if format > FORMAT {
        return Some(Head::Newer(format));
    }
    reader.u32()?;
    let store = reader.u128()?;
    let checked = bytes.get(..bytes.len() - reader.left())?;
    (reader.u32()? == crc32c(checked)).then_some(Head::Of(store))
}

/// The stamp of an opening: magic (4), its generation (8), CRC32C of the store's id and all before (4).
pub(super) fn encode_stamp(store: u128, generation: u64) -> Vec<u8> {
    let mut out = MAGIC_STAMP.to_vec();
    out.extend_from_slice(&generation.to_le_bytes());
    let checksum = crc32c_append(crc32c(&store.to_le_bytes()), &out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// The generation in the stamp of a log; 0 where there is none, or one of another store.
pub(super) fn decode_stamp(log: &[u8], store: u128) -> u64 {
    let read = || {
        let bytes = log.get(STAMP_AT as usize..)?;
        let mut reader = Reader::new(bytes);
        reader.array().filter(|magic| magic == MAGIC_STAMP)?;
        let generation = reader.u64()?;
        (bytes.get(..16)? == encode_stamp(store, generation)).then_some(generation)
    };
    read().unwrap_or(0)
}

/// The head of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) sequence: u64,
    pub(super) generation: u64,
    /// The highest sequence number that was known durable when this was written.
    pub(super) durable: u64,
}

/// Appends a record: magic (4), length of the payload (4), sequence number, generation, highest number known durable
/// (8 each), CRC32C (4), 0 (4), payload, zeros up to the next multiple of [`ALIGN`].
pub(super) fn encode_record(out: &mut Vec<u8>, store: u128, head: RecordHead, payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(MAGIC_RECORD);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    for number in [head.sequence, head.generation, head.durable] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let checksum = crc32c_append(seed(store, head.generation), &out[start..]);
    out.extend_from_slice(&crc32c_append(checksum, payload).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
    out.resize(start + record_len(payload.len()), 0);
}

/// The record at the start of these bytes, of any generation, and its payload; none if there is no whole one.
pub(super) fn decode_record(bytes: &[u8], store: u128) -> Option<(RecordHead, &[u8])> {
    let mut reader = Reader::new(bytes);
    reader.array().filter(|magic| magic == MAGIC_RECORD)?;
    let len = reader.u32()? as usize;
    let head = RecordHead { sequence: reader.u64()?, generation: reader.u64()?, durable: reader.u64()? };
    let checksum = reader.u32()?;
    reader.u32().filter(|reserved| *reserved == 0)?;
    let payload = reader.bytes(len)?;
    let found = crc32c_append(seed(store, head.generation), bytes.get(..CHECKED_LEN)?);
    (crc32c_append(found, payload) == checksum).then_some((head, payload))
}

/// The bytes that a record takes.
pub(super) fn record_len(payload: usize) -> usize {
    (RECORD_HEAD_LEN + payload).next_multiple_of(ALIGN)
}

/// Where a record's checksum starts from, so that none of another store or generation passes.
fn seed(store: u128, generation: u64) -> u32 {
    crc32c_append(crc32c(&store.to_le_bytes()), &generation.to_le_bytes())
}

#[cfg(test)]
mod tests;
