//! The rows of a share as bytes: a line that says what follows, then frames. A frame is the length of its payload (4
//! bytes, little-endian), the payload's checksum (8), and the payload: rows, each with its table (1), the lengths of
//! key (2) and value (4), key and value.

use dittofs_domain::content::checksum;
use dittofs_ports::SnapshotRow;

/// The bytes with which a file of rows begins.
pub(crate) const MAGIC: &[u8] = b"dittofs rows 1\n";
/// The bytes before a frame's payload.
pub(crate) const HEAD_LEN: usize = 12;
/// The most bytes that a payload may take: more than any page of rows. A damaged length must not take more memory than
/// the machine has.
pub(crate) const PAYLOAD_MAX: usize = 64 << 20;

/// A frame; none for rows that are too long for one.
pub(crate) fn frame(rows: &[SnapshotRow]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    for SnapshotRow { table, key, value } in rows {
        payload.push(*table);
        payload.extend_from_slice(&u16::try_from(key.len()).ok()?.to_le_bytes());
        payload.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
        payload.extend_from_slice(key);
        payload.extend_from_slice(value);
    }
    let len = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_MAX)?;
    let mut frame = Vec::with_capacity(HEAD_LEN + payload.len());
    frame.extend_from_slice(&len.to_le_bytes());
    frame.extend_from_slice(&checksum(&payload).to_le_bytes());
    frame.extend_from_slice(&payload);
    Some(frame)
}

/// The length of a frame's payload, and its checksum; none for a length that no frame has.
pub(crate) fn head(bytes: &[u8; HEAD_LEN]) -> Option<(usize, u64)> {
    let (len, sum) = bytes.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    let sum = u64::from_le_bytes(*sum.first_chunk()?);
    (len <= PAYLOAD_MAX).then_some((len, sum))
}

/// The rows of a payload; none if it is not one.
pub(crate) fn parse(payload: &[u8]) -> Option<Vec<SnapshotRow>> {
    let (mut rows, mut rest) = (Vec::new(), payload);
    while !rest.is_empty() {
        let (table, after) = rest.split_first()?;
        let (key_len, after) = after.split_first_chunk::<2>()?;
        let (value_len, after) = after.split_first_chunk::<4>()?;
        let (key, after) = after.split_at_checked(u16::from_le_bytes(*key_len).into())?;
        let (value, after) = after.split_at_checked(u32::from_le_bytes(*value_len) as usize)?;
        rows.push(SnapshotRow { table: *table, key: key.to_vec(), value: value.to_vec() });
        rest = after;
    }
    Some(rows)
}
