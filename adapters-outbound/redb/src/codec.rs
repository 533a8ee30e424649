//! Records as bytes: a version of one byte, then fields in little-endian order. See
//! `docs/decisions/0006-redb-layout.md`.

mod backups;
mod lineage;
mod node;
mod reader;
mod row;
mod share;
mod small;
mod user;
mod xattrs;

pub(crate) use node::{decode_node, encode_node};
pub(crate) use row::{decode_row, encode_row};
pub(crate) use share::{decode_share, encode_share};
pub(crate) use small::{
    decode_count, decode_entry, decode_listing, decode_object, decode_operations, decode_reason, encode_count,
    encode_entry, encode_listing, encode_object, encode_operations, encode_reason,
};
pub(crate) use user::{decode_machine, decode_user, encode_machine, encode_user};
pub(crate) use xattrs::{decode_xattrs, decode_xattrs_version, encode_xattrs};

pub(crate) use reader::Reader;

use dittofs_domain::Tree;

use crate::fault::Fault;

/// The version of every record that has had no other yet: what this program writes, and the newest that it reads.
const VERSION: u8 = 1;

/// Reads which tree was the living one when a record was written: records of version 1 do not say, and were all written
/// before there was another one.
fn read_since(version: u8, reader: &mut Reader<'_>) -> Option<Tree> {
    if version == 1 {
        return Some(Tree::FIRST);
    }
    reader.u32().map(Tree).filter(|tree| (Tree::FIRST..=Tree::MAX).contains(tree))
}

/// Reads one whole record that has had one version only; `what` names it in errors.
fn decode<T>(what: &str, bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T, Fault> {
    decode_versions(what, bytes, VERSION, |_, reader| read(reader))
}

/// Reads one whole record of any version up to the newest, which is the one that this program writes; `read` gets the
/// version. `what` names it in errors.
fn decode_versions<T>(
    what: &str,
    bytes: &[u8],
    newest: u8,
    read: impl FnOnce(u8, &mut Reader<'_>) -> Option<T>,
) -> Result<T, Fault> {
    let mut reader = Reader::new(bytes);
    let version = match reader.u8() {
        Some(0) => return Err(Fault::damaged(format!("{what} of version 0, which never was"))),
        Some(version) if version > newest => {
            let fix = "a newer release of the program wrote it, and only that one can read it";
            return Err(Fault::damaged(format!("{what} of version {version}, where {newest} is known: {fix}")));
        }
        Some(version) => version,
        None => return Err(Fault::damaged(format!("{what} without a byte"))),
    };
    let record = read(version, &mut reader).filter(|_| reader.is_at_end());
    record.ok_or_else(|| Fault::damaged(format!("{what} of {} bytes that make no sense", bytes.len())))
}

#[cfg(test)]
mod tests;
