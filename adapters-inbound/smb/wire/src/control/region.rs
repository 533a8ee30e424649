use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};
use crate::info::Encoded;

use super::range::OutputTooSmall;

/// FSCTL_QUERY_FILE_REGIONS (FILE_REGION_INPUT).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionQuery {
    /// The first byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// 1: data that is valid in the cache; 2: data that is valid in storage. Others are STATUS_INVALID_PARAMETER.
    pub usage: u32,
}

impl RegionQuery {
    /// Decodes the request. An empty one asks for the whole file. One that is too short is STATUS_BUFFER_TOO_SMALL.
    pub fn decode(bytes: &Bytes) -> Result<Option<Self>, Malformed> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(bytes.clone());
        let query = Self { offset: reader.u64()?, length: reader.u64()?, usage: reader.u32()? };
        reader.skip(4)?;
        Ok(Some(query))
    }
}

/// A region of a file (FILE_REGION_INFO).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRegion {
    /// The first byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// The usages of [`RegionQuery::usage`] for which the region is valid.
    pub usage: u32,
}

const HEADER_LENGTH: usize = 16;
const REGION_LENGTH: usize = 24;

/// Encodes the regions that fit in `limit` bytes (FILE_REGION_OUTPUT).
pub fn encode_regions(regions: &[FileRegion], limit: usize) -> Result<Encoded, OutputTooSmall> {
    let room = limit.checked_sub(HEADER_LENGTH).ok_or(OutputTooSmall)?;
    let fitting = regions.len().min(room / REGION_LENGTH);
    if fitting == 0 && !regions.is_empty() {
        return Err(OutputTooSmall);
    }
    let mut writer = Writer::with_capacity(HEADER_LENGTH + fitting * REGION_LENGTH);
    writer.u32(0);
    writer.u32(u32::try_from(regions.len()).unwrap_or(u32::MAX));
    writer.u32(u32::try_from(fitting).unwrap_or(u32::MAX));
    writer.u32(0);
    for region in regions.iter().take(fitting) {
        writer.u64(region.offset);
        writer.u64(region.length);
        writer.u32(region.usage);
        writer.u32(0);
    }
    Ok(Encoded { bytes: writer.into_bytes().freeze(), overflow: fitting < regions.len() })
}
