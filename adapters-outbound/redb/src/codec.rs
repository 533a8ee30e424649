//! Records as bytes: a version of one byte, then fields in little-endian order. See
//! `docs/decisions/0006-redb-layout.md`.

mod node;
mod reader;
mod row;
mod share;
mod small;

pub(crate) use node::{decode_node, encode_node};
pub(crate) use row::{decode_row, encode_row};
pub(crate) use share::{decode_share, encode_share};
pub(crate) use small::{
    decode_count, decode_entry, decode_listing, decode_object, decode_operations, decode_reason, encode_count,
    encode_entry, encode_listing, encode_object, encode_operations, encode_reason,
};

pub(crate) use reader::Reader;

use crate::fault::Fault;

/// The version of every record that this program writes, and the newest that it reads.
const VERSION: u8 = 1;

/// Reads one whole record; `what` names it in errors.
fn decode<T>(what: &str, bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T, Fault> {
    let mut reader = Reader::new(bytes);
    match reader.u8() {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => {
            let mend = "a newer release of the program wrote it, and only that one can read it";
            return Err(Fault::damaged(format!("{what} of version {newer}, where {VERSION} is known: {mend}")));
        }
        Some(other) => return Err(Fault::damaged(format!("{what} of version {other}, which never was"))),
        None => return Err(Fault::damaged(format!("{what} without a byte"))),
    }
    let record = read(&mut reader).filter(|_| reader.is_at_end());
    record.ok_or_else(|| Fault::damaged(format!("{what} of {} bytes that make no sense", bytes.len())))
}

#[cfg(test)]
mod tests;
