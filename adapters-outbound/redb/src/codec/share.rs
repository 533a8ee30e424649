//! Rows of shares. The id is in the key.
//!
//! Version 2: fixed fields, the name with its length, then any number of *fields*, each a tag (1 byte), a length (2
//! bytes) and that many bytes, in the order of their tags. A field that says nothing is left out. An unknown tag is a
//! newer program's.

use dittofs_domain::{FoldTable, HandleKey, KeyId, Scale, ShareId};
use dittofs_ports::{KeysInUse, ShareRecord};

use super::{Reader, backups, decode_versions, lineage};
use crate::fault::Fault;

const VERSION: u8 = 2;

/// Sizes of pages, regions, chunks and so on, where they are not those of production.
const SCALE: u8 = 1;
/// The starts that were given.
const LINEAGE: u8 = 2;
/// The keys that are in use.
const KEYS: u8 = 3;
/// The sums count nodes, names and targets: an empty field.
const COUNTS_NAMES: u8 = 4;
/// The backups that pin objects.
const BACKUPS: u8 = 5;

/// The table of folded names: its number (1).
const FOLDING: u8 = 6;

/// All keys that are in use are known: the first byte of their field.
const ALL_KEYS: u8 = 1;

pub(crate) fn encode_share(record: &ShareRecord) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&record.handle_key.0);
    out.extend_from_slice(&record.content_owner.to_le_bytes());
    out.extend_from_slice(&record.journal.to_le_bytes());
    out.extend_from_slice(&record.journal_incarnation.to_le_bytes());
    out.push(record.dirty.into());
    out.extend_from_slice(&(record.name.len() as u16).to_le_bytes());
    out.extend_from_slice(record.name.as_bytes());
    if record.scale != Scale::PRODUCTION {
        put_field(&mut out, SCALE, &encode_scale(&record.scale));
    }
    let lineage = lineage::encode(&record.lineage);
    if !lineage.is_empty() {
        put_field(&mut out, LINEAGE, &lineage);
    }
    if record.keys != KeysInUse::default() {
        put_field(&mut out, KEYS, &encode_keys(&record.keys));
    }
    if record.counts_names {
        put_field(&mut out, COUNTS_NAMES, &[]);
    }
    if !record.backups.is_empty() {
        put_field(&mut out, BACKUPS, &backups::encode(&record.backups));
    }
    if let Some(folding) = record.folding {
        put_field(&mut out, FOLDING, &[folding.number()]);
    }
    out
}

fn put_field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn encode_scale(scale: &Scale) -> Vec<u8> {
    let Scale { page_bytes, region_bytes, chunk_bytes, object_bytes, object_blocks, .. } = *scale;
    let small = [page_bytes, region_bytes, object_blocks, scale.page_extents, scale.plan_steps, scale.plan_rows];
    let large = [chunk_bytes, object_bytes, scale.segment_bytes];
    let small = small.iter().flat_map(|number| number.to_le_bytes());
    small.chain(large.iter().flat_map(|number| number.to_le_bytes())).collect()
}

fn decode_scale(bytes: &[u8]) -> Option<Scale> {
    let mut reader = Reader::new(bytes);
    let scale = Scale {
        page_bytes: reader.u32()?,
        region_bytes: reader.u32()?,
        object_blocks: reader.u32()?,
        page_extents: reader.u32()?,
        plan_steps: reader.u32()?,
        plan_rows: reader.u32()?,
        chunk_bytes: reader.u64()?,
        object_bytes: reader.u64()?,
        segment_bytes: reader.u64()?,
    };
    (reader.is_at_end() && scale.is_valid()).then_some(scale)
}

/// Whether these are all (1), then 8 bytes each.
fn encode_keys(keys: &KeysInUse) -> Vec<u8> {
    let mut out = vec![if keys.are_all { ALL_KEYS } else { 0 }];
    keys.in_use.iter().for_each(|key| out.extend_from_slice(&key.0.to_le_bytes()));
    out
}

fn decode_keys(bytes: &[u8]) -> Option<KeysInUse> {
    let mut reader = Reader::new(bytes);
    let are_all = match reader.u8()? {
        ALL_KEYS => true,
        0 => false,
        _ => return None,
    };
    let mut keys = KeysInUse { are_all, ..KeysInUse::default() };
    while !reader.is_at_end() {
        let key = KeyId(reader.u64()?);
        let is_new = key.is_possible() && !key.is_none() && keys.in_use.insert(key);
        is_new.then_some(())?;
    }
    Some(keys)
}

pub(crate) fn decode_share(id: ShareId, bytes: &[u8]) -> Result<ShareRecord, Fault> {
    decode_versions("the row of a share", bytes, VERSION, |version, reader| read(version, id, reader))
}

fn read(version: u8, id: ShareId, reader: &mut Reader<'_>) -> Option<ShareRecord> {
    let mut record = ShareRecord {
        handle_key: HandleKey(reader.array()?),
        content_owner: reader.u128()?,
        journal: reader.u128()?,
        journal_incarnation: reader.u64()?,
        dirty: match reader.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        },
        counts_names: false,
        folding: None,
        ..ShareRecord::new(id, "")
    };
    let name = match version {
        1 => reader.rest(),
        _ => {
            let len = reader.u16()?;
            reader.bytes(len.into())?
        }
    };
    record.name = String::from_utf8(name.to_vec()).ok()?;
    // A row of version 1 does not say what it was sealed with.
    record.keys.are_all = version > 1;
    while !reader.is_at_end() {
        let (tag, len) = (reader.u8()?, reader.u16()?);
        read_field(&mut record, tag, reader.bytes(len.into())?)?;
    }
    Some(record)
}

/// None for a field that this program does not know, or that makes no sense.
fn read_field(record: &mut ShareRecord, tag: u8, bytes: &[u8]) -> Option<()> {
    match tag {
        SCALE => record.scale = decode_scale(bytes)?,
        KEYS => record.keys = decode_keys(bytes)?,
        COUNTS_NAMES if bytes.is_empty() => record.counts_names = true,
        LINEAGE => record.lineage = lineage::decode(bytes)?,
        BACKUPS => record.backups = backups::decode(bytes)?,
        FOLDING => {
            let [number] = *bytes else { return None };
            record.folding = Some(FoldTable::of(number)?);
        }
        _ => return None,
    }
    Some(())
}
