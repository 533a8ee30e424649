//! Names inside a store, the same in every scheme: `SHARE/FIRST/OBJECT` and `SHARE/owner`, below the store's mark.
//!
//! Ids are in lower-case hexadecimal at full length, so that names are ordered as ids are.

use dittofs_domain::{ObjectId, ShareId};

/// The file that says what the store is.
pub(crate) const MARK: &str = "dittofs-objects";
/// The file of a share that says whom its objects belong to.
pub(crate) const OWNER: &str = "owner";

/// The file beside it that its writer keeps locked, where there are locks.
pub(crate) const LOCK: &str = "owner.lock";

const OBJECT_DIGITS: usize = 32;
const SHARE_DIGITS: usize = 16;

pub(crate) fn share_name(share: ShareId) -> String {
    format!("{:016x}", share.0)
}

/// The share whose folder has this name.
pub(crate) fn share_of(name: &str) -> Option<ShareId> {
    let plain = name.len() == SHARE_DIGITS && name.bytes().all(is_digit);
    if plain { u64::from_str_radix(name, 16).ok().map(ShareId) } else { None }
}

/// The first byte of an object's id, which names its folder.
pub(crate) fn first_byte(object: ObjectId) -> u8 {
    object.0.to_be_bytes()[0]
}

pub(crate) fn folder_name(first: u8) -> String {
    format!("{first:02x}")
}

pub(crate) fn object_name(object: ObjectId) -> String {
    format!("{:032x}", object.0)
}

/// The object that a name means; other files are nobody's objects.
pub(crate) fn object_of(name: &str) -> Option<ObjectId> {
    let plain = name.len() == OBJECT_DIGITS && name.bytes().all(is_digit);
    if plain { u128::from_str_radix(name, 16).ok().map(ObjectId) } else { None }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
