//! Rows of shares. The id is in the key.
//!
//! Version 2: fixed fields, the name with its length, then any number of *fields*, each a tag (1 byte), a length (2
//! bytes) and that many bytes, in the order of their tags. A field that says nothing is left out. An unknown tag is a
//! newer program's.

use dittofs_domain::{HandleKey, KeyId, ShareId};
use dittofs_ports::{KeysInUse, ShareRecord};

use super::{Reader, decode_versions};
use crate::fault::Fault;

const VERSION: u8 = 2;

/// The keys that are in use.
const TAG_KEYS: u8 = 3;

/// All keys that are in use are known: a byte of their field.
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
    put_field(&mut out, TAG_KEYS, &encode_keys(&record.keys));
    out
}

/// A field that says nothing is left out.
fn put_field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend_from_slice(bytes);
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
        TAG_KEYS => record.keys = decode_keys(bytes)?,
        _ => return None,
    }
    Some(())
}

/// Whether these are all (1), then 8 bytes each. Nothing where nothing is sealed.
fn encode_keys(keys: &KeysInUse) -> Vec<u8> {
    if *keys == KeysInUse::default() {
        return Vec::new();
    }
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
