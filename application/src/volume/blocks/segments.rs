//! Bytes in several parts, as they leave.

use bytes::Bytes;
use smallvec::SmallVec;

/// Zeros for holes: large holes are answered by many references to these.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The bytes of a reply, in order.
pub(in crate::volume) type Segments = SmallVec<[Bytes; 4]>;

/// Adds zeros.
pub(in crate::volume) fn zeros(mut length: u64, out: &mut Segments) {
    while length > 0 {
        let part = length.min(ZEROS.len() as u64);
        out.push(Bytes::from_static(&ZEROS[..part as usize]));
        length -= part;
    }
}
