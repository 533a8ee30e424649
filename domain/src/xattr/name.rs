//! Names of extended attributes.

use std::fmt;

use bytes::Bytes;

use crate::error::{FsError, FsResult};

/// The name of an extended attribute: 1 to 255 bytes without NUL. Bytes, not text.
///
/// It has no prefix: Linux's `user.mime_type` is `mime_type` in NFSv4 (RFC 8276, 4) and in SMB, and so it is here.
///
/// Names that differ only in the case of ASCII letters mean the same attribute, whatever the protocol: over SMB they
/// always do (MS-FSA, 2.1.5.15.8), and a node with two such names would show one of them to nobody there.
#[derive(Clone, PartialEq, Eq)]
pub struct XattrName(Bytes);

impl XattrName {
    /// The greatest length in bytes (XATTR_NAME_MAX).
    pub const MAX_BYTES: usize = 255;

    /// Checks a name that came from outside.
    ///
    /// # Errors
    /// `Invalid` if it is empty or holds NUL; `NameTooLong` over 255 bytes.
    pub fn new(bytes: Bytes) -> FsResult<XattrName> {
        match bytes.len() {
            0 => Err(FsError::Invalid),
            _ if bytes.contains(&0) => Err(FsError::Invalid),
            1..=Self::MAX_BYTES => Ok(XattrName(bytes)),
            _ => Err(FsError::NameTooLong),
        }
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name in lower case: that of all names that mean the same attribute.
    pub fn folded(&self) -> Vec<u8> {
        self.0.to_ascii_lowercase()
    }

    /// Whether two names mean the same attribute.
    pub fn is_same(&self, other: &XattrName) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Debug for XattrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XattrName(\"{}\")", self.0.escape_ascii())
    }
}
