use bytes::Bytes;

use crate::cursor::Writer;

/// Encodes the answer to FSCTL_SRV_ENUMERATE_SNAPSHOTS of a share without previous versions (MS-SMB2 2.2.32.2).
///
/// It has 16 bytes, the least that a client must have room for (MS-SMB2 3.3.5.15.1): no snapshots, and the two bytes
/// that end an empty list, padded.
#[must_use]
pub fn encode_no_snapshots() -> Bytes {
    let mut writer = Writer::with_capacity(16);
    writer.u32(0);
    writer.u32(0);
    writer.u32(2);
    writer.zeros(4);
    writer.into_bytes().freeze()
}
