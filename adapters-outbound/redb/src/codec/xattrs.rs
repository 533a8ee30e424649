//! Extended attributes: behind the version is the form that the domain gives them.

use bytes::Bytes;
use dittofs_domain::{ChangeId, xattr::Xattrs};

use super::{VERSION, decode};
use crate::fault::Fault;

const EXTENDED_ATTRIBUTES: &str = "extended attributes";

pub(crate) fn encode_xattrs(xattrs: &Xattrs) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&xattrs.to_bytes());
    out
}

pub(crate) fn decode_xattrs(bytes: &[u8]) -> Result<Xattrs, Fault> {
    decode(EXTENDED_ATTRIBUTES, bytes, |reader| Xattrs::from_bytes(Bytes::copy_from_slice(reader.rest())).ok())
}

/// Their version only.
pub(crate) fn decode_xattrs_version(bytes: &[u8]) -> Result<ChangeId, Fault> {
    decode(EXTENDED_ATTRIBUTES, bytes, |reader| Xattrs::version_of(reader.rest()).ok())
}
