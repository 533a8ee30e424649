//! Rows of maps: version, pages and extents are columns; the extents of a page are one value.
//!
//! The value begins with its version (1 byte). An extent is a tag (1), its length (4) and what belongs to the tag, all
//! big-endian.

use bytes::Bytes;
use dittofs_domain::{
    ContentVersion, KeyId, ObjectId,
    content::{BlockPlace, Extent, MapRow, PageExtents, Stored, page::is_well_formed},
};

use crate::{
    fault::Fault,
    numbers::{signed, unsigned},
};

const VERSION: u8 = 1;

const HOLE: u8 = 0;
const INLINE: u8 = 1;
const STORED: u8 = 2;

/// The columns of a row: version, pages and extents, of which one is there. None for a row that is no valid one.
pub(crate) fn columns(row: &MapRow) -> Option<(i64, Option<i64>, Option<Vec<u8>>)> {
    match row {
        MapRow::Page { version, extents } if is_well_formed(extents) => {
            let mut out = vec![VERSION];
            extents.iter().for_each(|extent| put(&mut out, extent));
            Some((signed(version.0), None, Some(out)))
        }
        MapRow::Holes { version, pages } if *pages > 0 => Some((signed(version.0), Some(signed(*pages)), None)),
        MapRow::Page { .. } | MapRow::Holes { .. } => None,
    }
}

/// The row of these columns.
pub(crate) fn row(version: i64, pages: Option<i64>, extents: Option<&[u8]>) -> Result<MapRow, Fault> {
    let version = ContentVersion(unsigned(version));
    match (pages, extents) {
        (Some(pages), None) if pages != 0 => Ok(MapRow::Holes { version, pages: unsigned(pages) }),
        (None, Some(bytes)) => Ok(MapRow::Page { version, extents: extents_of(bytes)? }),
        _ => Err(Fault::damaged("a row of a map is neither a page nor holes")),
    }
}

fn extents_of(bytes: &[u8]) -> Result<PageExtents, Fault> {
    let newer = |version| {
        let fix = "a newer release of the program wrote it, and only that one can read it";
        Fault::damaged(format!("a row of a map of version {version}, where {VERSION} is known: {fix}"))
    };
    let mut reader = Reader(bytes);
    match reader.array() {
        Some([VERSION]) => {}
        Some([version]) => return Err(newer(version)),
        None => return Err(Fault::damaged("a row of a map without a byte")),
    }
    let mut extents = PageExtents::new();
    while !reader.0.is_empty() {
        let next = extent(&mut reader);
        extents.push(next.ok_or_else(|| Fault::damaged("an extent makes no sense"))?);
    }
    is_well_formed(&extents).then_some(extents).ok_or_else(|| Fault::damaged("the extents of a page make no sense"))
}

fn put(out: &mut Vec<u8>, extent: &Extent) {
    let tag = match extent {
        Extent::Hole { .. } => HOLE,
        Extent::Inline(_) => INLINE,
        Extent::Stored { .. } => STORED,
    };
    out.push(tag);
    out.extend_from_slice(&extent.len().to_be_bytes());
    match extent {
        Extent::Hole { .. } => {}
        Extent::Inline(bytes) => out.extend_from_slice(bytes),
        Extent::Stored { from: Stored { object, block, skip }, .. } => {
            out.extend_from_slice(&object.0.to_be_bytes());
            out.extend_from_slice(&block.at.to_be_bytes());
            out.extend_from_slice(&block.stored_len.to_be_bytes());
            out.extend_from_slice(&block.raw_len.to_be_bytes());
            out.push(block.codec);
            out.extend_from_slice(&block.key_id.0.to_be_bytes());
            out.extend_from_slice(&skip.to_be_bytes());
        }
    }
}

fn extent(reader: &mut Reader<'_>) -> Option<Extent> {
    let [tag] = reader.array()?;
    let len = u32::from_be_bytes(reader.array()?);
    match tag {
        HOLE => Some(Extent::Hole { len }),
        INLINE => {
            let (bytes, rest) = reader.0.split_at_checked(len as usize)?;
            reader.0 = rest;
            Some(Extent::Inline(Bytes::copy_from_slice(bytes)))
        }
        STORED => {
            let object = ObjectId(u128::from_be_bytes(reader.array()?));
            let at = u64::from_be_bytes(reader.array()?);
            let stored_len = u32::from_be_bytes(reader.array()?);
            let raw_len = u32::from_be_bytes(reader.array()?);
            let [codec] = reader.array()?;
            let key_id = KeyId(u64::from_be_bytes(reader.array()?));
            if !key_id.is_possible() {
                return None;
            }
            let skip = u32::from_be_bytes(reader.array()?);
            let block = BlockPlace { at, stored_len, raw_len, codec, key_id };
            Some(Extent::Stored { len, from: Stored { object, block, skip } })
        }
        _ => None,
    }
}

/// Bytes that are left.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests;
