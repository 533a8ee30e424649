use bytes::Bytes;
use thiserror::Error;

use crate::cursor::{Malformed, Reader, Writer};
use crate::info::Encoded;

/// There is no room for the first element of a list: STATUS_BUFFER_TOO_SMALL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the output buffer is too small for the first element")]
pub struct OutputTooSmall;

/// FSCTL_SET_SPARSE makes the file sparse, rather than not. An empty request does (MS-FSCC 2.3).
#[must_use]
pub fn is_set_sparse(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|byte| *byte != 0)
}

/// FSCTL_SET_ZERO_DATA (FILE_ZERO_DATA_INFORMATION). The numbers are signed in the standard: see [`Self::is_valid`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ZeroData {
    /// The first byte to be zero.
    pub start: u64,
    /// The first byte behind that stays as it is.
    pub end: u64,
}

impl ZeroData {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self { start: reader.u64()?, end: reader.u64()? })
    }

    /// The end isn't in front of the start. A range for which that isn't so is STATUS_INVALID_PARAMETER.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.start <= self.end && i64::try_from(self.end).is_ok()
    }
}

/// A range of a file (FILE_ALLOCATED_RANGE_BUFFER), in bytes: the request and the elements of the
/// answer of FSCTL_QUERY_ALLOCATED_RANGES.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRange {
    /// The first byte.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

impl FileRange {
    /// Bytes of an element of the answer.
    pub const LENGTH: usize = 16;

    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self { offset: reader.u64()?, length: reader.u64()? })
    }

    /// Neither number is negative when read as signed, and their sum isn't. A range for which that isn't so is
    /// STATUS_INVALID_PARAMETER.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.offset.checked_add(self.length).is_some_and(|end| i64::try_from(end).is_ok())
    }
}

/// Encodes the ranges that fit in `limit` bytes. No ranges at all fit in no room.
pub fn encode_ranges(ranges: &[FileRange], limit: usize) -> Result<Encoded, OutputTooSmall> {
    let fitting = ranges.len().min(limit / FileRange::LENGTH);
    if fitting == 0 && !ranges.is_empty() {
        return Err(OutputTooSmall);
    }
    let mut writer = Writer::with_capacity(fitting * FileRange::LENGTH);
    for range in ranges.iter().take(fitting) {
        writer.u64(range.offset);
        writer.u64(range.length);
    }
    Ok(Encoded { bytes: writer.into_bytes().freeze(), overflow: fitting < ranges.len() })
}
