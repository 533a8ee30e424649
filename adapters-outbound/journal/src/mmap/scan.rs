//! Reads the contents of a segment with `pread`.

use std::io;

use dittofs_domain::crc32c::crc32c;

use super::{
    format::{ALIGNMENT, RECORD_HEAD, RELEASE, RecordHead, SEGMENT_HEAD},
    slot::Slot,
};

/// Read at once; where losses are accepted, what can't be read is taken for zeros in pieces of this size. The smaller
/// they are, the less is lost around a bad sector; a segment takes a thousand calls then.
const PIECE: usize = 64 << 10;

/// A record's head that passes its checksum.
pub(super) struct Found {
    /// Where the head is.
    pub(super) at: u64,
    pub(super) head: RecordHead,
    /// Whether the payload passes its checksum too.
    pub(super) whole: bool,
    /// Of release records only.
    pub(super) payload: Vec<u8>,
}

/// Every record of a segment whose checksums start from `seed`, also those behind bytes that are no record: they tell how much had been durable.
pub(super) fn scan(slot: &Slot, seed: u32, accept_loss: bool, buffer: &mut Vec<u8>) -> io::Result<Vec<Found>> {
    read_all(slot, accept_loss, buffer)?;
    let mut found = Vec::new();
    let mut rest = buffer.get(SEGMENT_HEAD as usize..).unwrap_or_default();
    while rest.len() >= RECORD_HEAD {
        let mut step = ALIGNMENT;
        if let Some(head) = RecordHead::decode(rest, seed) {
            let payload = rest.get(RECORD_HEAD..).and_then(|payload| payload.get(..head.payload as usize));
            let whole = payload.is_some_and(|payload| crc32c(payload) == head.payload_crc);
            let kept = payload.filter(|_| whole && head.kind == RELEASE).unwrap_or_default().to_vec();
            let at = (buffer.len() - rest.len()) as u64;
            found.push(Found { at, head, whole, payload: kept });
            step = if whole { head.span() } else { ALIGNMENT };
        }
        rest = rest.get(step as usize..).unwrap_or_default();
    }
    Ok(found)
}

fn read_all(slot: &Slot, accept_loss: bool, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize(slot.bytes as usize, 0);
    for (piece, at) in buffer.chunks_mut(PIECE).zip((0_u64..).step_by(PIECE)) {
        match slot.file.read_at(piece, at) {
            Err(_) if accept_loss => piece.fill(0),
            read => read?,
        }
    }
    Ok(())
}
