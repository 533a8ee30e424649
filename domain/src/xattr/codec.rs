//! The form in which stores keep extended attributes, and which no store has to know.

use bytes::{Buf, Bytes};
use thiserror::Error;

use super::{XATTR_BYTES_MAX, XATTRS_MAX, Xattr, XattrName, Xattrs};
use crate::id::ChangeId;

const FORMAT: u8 = 1;
/// Bytes of an attribute besides its name and its value.
const HEAD_BYTES: usize = 8 + 1 + 4;

/// Bytes that are no extended attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no extended attributes")]
pub struct NoXattrs;

impl Xattrs {
    /// The form that stores keep: at most some 130 KiB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 8 + self.bytes() as usize + self.all.len() * HEAD_BYTES);
        out.push(FORMAT);
        out.extend_from_slice(&self.version.0.to_le_bytes());
        for Xattr { cookie, name, value } in &self.all {
            out.extend_from_slice(&cookie.to_le_bytes());
            out.push(name.as_bytes().len() as u8);
            out.extend_from_slice(&(value.len() as u32).to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(value);
        }
        out
    }

    /// The version in such a form, without a look at the rest.
    ///
    /// # Errors
    /// `NoXattrs`.
    pub fn version_of(mut bytes: &[u8]) -> Result<ChangeId, NoXattrs> {
        match bytes.try_get_u8() {
            Ok(FORMAT) => bytes.try_get_u64_le().map(ChangeId).map_err(|_| NoXattrs),
            _ => Err(NoXattrs),
        }
    }

    /// Reads such a form. What is returned keeps `bytes`.
    ///
    /// # Errors
    /// `NoXattrs`, also for attributes that no node may have.
    pub fn from_bytes(mut bytes: Bytes) -> Result<Xattrs, NoXattrs> {
        let version = Xattrs::version_of(&bytes)?;
        bytes.advance(1 + 8);
        let mut xattrs = Xattrs { version, all: Vec::new() };
        let (mut last, mut sum) = (0, 0);
        while !bytes.is_empty() {
            let xattr = read(&mut bytes).ok_or(NoXattrs)?;
            sum += xattr.bytes();
            let is_next = xattr.cookie > last && xattrs.all.len() < XATTRS_MAX && sum <= XATTR_BYTES_MAX as usize;
            if !is_next {
                return Err(NoXattrs);
            }
            last = xattr.cookie;
            xattrs.all.push(xattr);
        }
        if xattrs.all.is_empty() { Err(NoXattrs) } else { Ok(xattrs) }
    }
}

fn read(bytes: &mut Bytes) -> Option<Xattr> {
    let cookie = bytes.try_get_u64_le().ok()?;
    let name_len = usize::from(bytes.try_get_u8().ok()?);
    let value_len = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
    if bytes.len() < name_len.checked_add(value_len)? {
        return None;
    }
    let name = XattrName::new(bytes.split_to(name_len)).ok()?;
    Some(Xattr { cookie, name, value: bytes.split_to(value_len) })
}
