//! Names of entries.

mod fold;

pub use fold::FoldTable;

use std::{borrow::Borrow, fmt, sync::Arc};

use crate::error::{FsError, FsResult};

/// A name in a directory: 1 to 255 bytes without `/` and NUL, and neither `.` nor `..`. Bytes, not text
/// (RFC 1813, 3.2: the server does not interpret them). Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// The greatest length in bytes (NAME_MAX).
    pub const MAX_BYTES: usize = 255;

    /// Checks a name that came from outside.
    ///
    /// # Errors
    /// `Invalid` if it is empty, `.`, `..`, or holds `/` or NUL; `NameTooLong` over 255 bytes.
    pub fn new(bytes: &[u8]) -> FsResult<Name> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(FsError::NameTooLong);
        }
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(FsError::Invalid);
        }
        Ok(Name(bytes.into()))
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name(\"{}\")", self.0.escape_ascii())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}
