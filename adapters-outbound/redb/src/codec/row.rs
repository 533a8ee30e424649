//! Rows of maps. The first page is in the key. A page whose extents make no sense is refused in both directions; whether
//! they are as long as a page of their share is for the rules to say.

use bytes::Bytes;
use dittofs_domain::{
    ContentVersion, KeyId, ObjectId, Tree,
    content::{BlockPlace, Extent, MapRow, PageExtents, Stored, page::is_well_formed},
};

use super::{Reader, decode_versions, read_since};
use crate::fault::Fault;

/// Version 1 did not say in which tree a row was written.
const VERSION: u8 = 2;

const PAGE: u8 = 0;
const HOLES: u8 = 1;

const HOLE: u8 = 0;
const INLINE: u8 = 1;
/// A block that is not sealed, or by a key with a number.
const STORED: u8 = 2;
/// A block that is sealed by a key with a fingerprint.
const SEALED: u8 = 3;

/// The least bytes of an extent, so that a count can't promise more than there is.
const EXTENT_BYTES_MIN: usize = 5;

/// None for a row that is no valid one.
pub(crate) fn encode_row(row: &MapRow, since: Tree) -> Option<Vec<u8>> {
    match row {
        MapRow::Page { version, extents } => {
            if !is_well_formed(extents) {
                return None;
            }
            let mut out = begin(PAGE, since);
            out.extend_from_slice(&version.0.to_le_bytes());
            out.extend_from_slice(&u32::try_from(extents.len()).ok()?.to_le_bytes());
            extents.iter().for_each(|extent| put_extent(&mut out, extent));
            Some(out)
        }
        MapRow::Holes { pages: 0, .. } => None,
        MapRow::Holes { version, pages } => {
            let mut out = begin(HOLES, since);
            out.extend_from_slice(&version.0.to_le_bytes());
            out.extend_from_slice(&pages.to_le_bytes());
            Some(out)
        }
    }
}

fn begin(tag: u8, since: Tree) -> Vec<u8> {
    let mut out = vec![VERSION, tag];
    out.extend_from_slice(&since.0.to_le_bytes());
    out
}

fn put_extent(out: &mut Vec<u8>, extent: &Extent) {
    let (tag, len) = match extent {
        Extent::Hole { len } => (HOLE, *len),
        Extent::Inline(bytes) => (INLINE, bytes.len() as u32),
        Extent::Stored { len, from } if from.block.key_id.is_fingerprint() => (SEALED, *len),
        Extent::Stored { len, .. } => (STORED, *len),
    };
    out.push(tag);
    out.extend_from_slice(&len.to_le_bytes());
    match extent {
        Extent::Hole { .. } => {}
        Extent::Inline(bytes) => out.extend_from_slice(bytes),
        Extent::Stored { from: Stored { object, block, skip }, .. } => {
            out.extend_from_slice(&object.0.to_le_bytes());
            out.extend_from_slice(&block.at.to_le_bytes());
            out.extend_from_slice(&block.stored_len.to_le_bytes());
            out.extend_from_slice(&block.raw_len.to_le_bytes());
            out.push(block.codec);
            match block.key_id.is_fingerprint() {
                true => out.extend_from_slice(&block.key_id.0.to_le_bytes()),
                false => out.extend_from_slice(&(block.key_id.0 as u32).to_le_bytes()),
            }
            out.extend_from_slice(&skip.to_le_bytes());
        }
    }
}

pub(crate) fn decode_row(bytes: &[u8]) -> Result<MapRow, Fault> {
    decode_versions("a row of a map", bytes, VERSION, read)
}

fn read(row_version: u8, reader: &mut Reader<'_>) -> Option<MapRow> {
    let tag = reader.u8()?;
    read_since(row_version, reader)?;
    let version = ContentVersion(reader.u64()?);
    match tag {
        PAGE => {
            let count = reader.u32()? as usize;
            if count > reader.left() / EXTENT_BYTES_MIN {
                return None;
            }
            let extents = (0..count).map(|_| extent(reader)).collect::<Option<PageExtents>>()?;
            is_well_formed(&extents).then_some(MapRow::Page { version, extents })
        }
        HOLES => {
            let pages = reader.u64().filter(|pages| *pages > 0)?;
            Some(MapRow::Holes { version, pages })
        }
        _ => None,
    }
}

fn extent(reader: &mut Reader<'_>) -> Option<Extent> {
    let tag = reader.u8()?;
    let len = reader.u32()?;
    match tag {
        HOLE => Some(Extent::Hole { len }),
        INLINE => reader.bytes(len as usize).map(|bytes| Extent::Inline(Bytes::copy_from_slice(bytes))),
        STORED | SEALED => {
            let object = ObjectId(reader.u128()?);
            let block = BlockPlace {
                at: reader.u64()?,
                stored_len: reader.u32()?,
                raw_len: reader.u32()?,
                codec: reader.u8()?,
                key_id: match tag {
                    SEALED => KeyId(reader.u64()?),
                    _ => KeyId::of_number(reader.u32()?),
                },
            };
            if (tag == SEALED) != block.key_id.is_fingerprint() {
                return None;
            }
            Some(Extent::Stored { len, from: Stored { object, block, skip: reader.u32()? } })
        }
        _ => None,
    }
}
