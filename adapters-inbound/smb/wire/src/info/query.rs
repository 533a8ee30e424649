//! Results of encoding an answer to a query within the room that the client gives (MS-SMB2 3.3.5.20).

use bytes::Bytes;
use thiserror::Error;

use crate::cursor::Writer;

/// The payload of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoded {
    /// At most as many bytes as the client has room for.
    pub bytes: Bytes,
    /// The variable part was cut: the response has STATUS_BUFFER_OVERFLOW, and these bytes.
    pub overflow: bool,
}

/// A query that has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum QueryError {
    /// STATUS_INFO_LENGTH_MISMATCH: there is no room for the fixed part.
    #[error("the output buffer is too small for the fixed part of the information class")]
    LengthMismatch,
    /// STATUS_INVALID_INFO_CLASS: this file doesn't have the information.
    #[error("the information class does not exist for this file")]
    InvalidInfoClass,
    /// STATUS_OBJECT_NAME_NOT_FOUND: the file has no alternate name.
    #[error("the file has no such name")]
    ObjectNameNotFound,
    /// STATUS_BUFFER_TOO_SMALL: there is no room for the first element of a list.
    #[error("the output buffer is too small for the first element")]
    BufferTooSmall,
}

/// The answer that was written, if all of it fits.
pub(crate) fn whole(writer: Writer, limit: usize) -> Result<Encoded, QueryError> {
    if writer.position() > limit {
        return Err(QueryError::LengthMismatch);
    }
    Ok(Encoded { bytes: writer.into_bytes().freeze(), overflow: false })
}

/// The answer that was written, which ends with a name that may be cut after any UTF-16 unit. All names start at an
/// even offset. The field with the length of the name keeps the full length (MS-FSA, FileNameInformation).
pub(crate) fn cut(mut writer: Writer, limit: usize) -> Encoded {
    let overflow = writer.position() > limit;
    if overflow {
        writer.truncate(limit / 2 * 2);
    }
    Encoded { bytes: writer.into_bytes().freeze(), overflow }
}
