//! Numbers of the domain, which are unsigned, in columns, which are signed.
//!
//! Stored numbers keep their bits. Ids, sizes and counts have at most 63 bits, so their order stays.

use dittofs_domain::{ObjectId, OpId};

/// The bits of a number.
pub(crate) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// The number of these bits.
pub(crate) const fn unsigned(bits: i64) -> u64 {
    bits.cast_unsigned()
}

/// A bound of a range: no stored number is greater than the greatest signed one.
pub(crate) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How many rows are wanted.
pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX - 2).min(i64::MAX - 2)
}

/// The id of an object as bytes, in the order of the ids.
pub(crate) fn object(id: ObjectId) -> Vec<u8> {
    id.0.to_be_bytes().to_vec()
}

/// The object of these bytes.
pub(crate) fn object_of(bytes: &[u8]) -> Option<ObjectId> {
    bytes.try_into().ok().map(u128::from_be_bytes).map(ObjectId)
}

/// An operation as bytes: the call, then by which way it came, so that those of one call stand together.
pub(crate) fn operation(op: OpId) -> Vec<u8> {
    op.0.rotate_left(16).to_be_bytes().to_vec()
}
