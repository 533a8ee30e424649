//! Extended attributes (RFC 8276; MS-FSCC, 2.4.16): values that have names, beside the content of a file or directory.
//!
//! All attributes of a node are one value, [`Xattrs`]. It is small, its bounds are those of the sum, and most callers
//! want all of it.

mod change;
mod codec;
mod name;

use bytes::Bytes;

use crate::id::ChangeId;

pub use change::{SetHow, XattrChange};
pub use codec::NoXattrs;
pub use name::XattrName;

/// The most that the attributes of a node count for, together: that of NTFS, and the greatest value of Linux.
pub const XATTR_BYTES_MAX: u32 = 64 << 10;
/// The greatest number of attributes of a node. Decoded, each takes some 72 bytes besides its own.
pub const XATTRS_MAX: usize = 4_096;
/// Bytes that an attribute counts for besides its name and its value: as in a packed list (MS-FSCC, 2.4.12), one for
/// flags, one for the length of the name, two for that of the value, and the NUL behind the name.
const OVERHEAD_BYTES: usize = 5;

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xattr {
    /// Its place in listings, from 1 on: it stays the same as long as the attribute is there.
    pub cookie: u64,
    /// Its name, as it was first set.
    pub name: XattrName,
    /// Its value, which may be empty.
    pub value: Bytes,
}

impl Xattr {
    fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.name.as_bytes().len() + self.value.len()
    }
}

/// All extended attributes of a node; never none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xattrs {
    version: ChangeId,
    /// In the order of their cookies.
    all: Vec<Xattr>,
}

impl Xattrs {
    /// Differs from that of all other states of the node's attributes.
    pub fn version(&self) -> ChangeId {
        self.version
    }

    /// The bytes that they count for: at most [`XATTR_BYTES_MAX`].
    pub fn bytes(&self) -> u32 {
        self.all.iter().map(Xattr::bytes).sum::<usize>() as u32
    }

    /// All of them, in the order of their cookies.
    pub fn all(&self) -> &[Xattr] {
        &self.all
    }

    /// Those after a cookie; 0: all. One that is there all the while comes exactly once, whatever else comes and goes.
    pub fn after(&self, cookie: u64) -> &[Xattr] {
        let first = self.all.partition_point(|xattr| xattr.cookie <= cookie);
        self.all.get(first..).unwrap_or_default()
    }

    /// The attribute of this name, in any case.
    pub fn get(&self, name: &XattrName) -> Option<&Xattr> {
        self.all.iter().find(|xattr| xattr.name.is_same(name))
    }
}

#[cfg(test)]
mod tests;
