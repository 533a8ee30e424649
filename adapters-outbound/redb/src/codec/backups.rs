//! The backups that pin objects of a share. Of each: id (8 bytes), time (seconds 8, nanoseconds 4), flags (1), objects
//! (8), bytes (8).

use dittofs_domain::{
    Timestamp,
    backup::{BackupId, BackupRecord, Backups},
};

use super::Reader;

/// Its pins stay until it is released.
const IS_KEPT: u8 = 1;

pub(crate) fn encode(backups: &Backups) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, BackupRecord { at, is_kept, objects, bytes }) in backups {
        out.extend_from_slice(&id.number().to_le_bytes());
        out.extend_from_slice(&at.seconds().to_le_bytes());
        out.extend_from_slice(&at.nanos().to_le_bytes());
        out.push(if *is_kept { IS_KEPT } else { 0 });
        out.extend_from_slice(&objects.to_le_bytes());
        out.extend_from_slice(&bytes.to_le_bytes());
    }
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Backups> {
    let mut reader = Reader::new(bytes);
    let mut backups = Backups::new();
    while !reader.is_at_end() {
        let id = BackupId::stored(reader.u64()?)?;
        let at = Timestamp::new(reader.i64()?, reader.u32()?)?;
        let is_kept = match reader.u8()? {
            IS_KEPT => true,
            0 => false,
            _ => return None,
        };
        let record = BackupRecord { at, is_kept, objects: reader.u64()?, bytes: reader.u64()? };
        backups.insert(id, record).is_none().then_some(())?;
    }
    Some(backups)
}
