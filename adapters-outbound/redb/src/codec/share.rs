//! Rows of shares. The id is in the key.

use dittofs_domain::{HandleKey, ShareId};
use dittofs_ports::ShareRecord;

use super::{Reader, VERSION, decode};
use crate::fault::Fault;

pub(crate) fn encode_share(record: &ShareRecord) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&record.handle_key.0);
    out.extend_from_slice(&record.content_owner.to_le_bytes());
    out.extend_from_slice(&record.journal.to_le_bytes());
    out.extend_from_slice(&record.journal_incarnation.to_le_bytes());
    out.push(record.dirty.into());
    out.extend_from_slice(record.name.as_bytes());
    out
}

pub(crate) fn decode_share(id: ShareId, bytes: &[u8]) -> Result<ShareRecord, Fault> {
    decode("the row of a share", bytes, |reader| read(id, reader))
}

fn read(id: ShareId, reader: &mut Reader<'_>) -> Option<ShareRecord> {
    Some(ShareRecord {
        id,
        handle_key: HandleKey(reader.array()?),
        content_owner: reader.u128()?,
        journal: reader.u128()?,
        journal_incarnation: reader.u64()?,
        dirty: match reader.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        },
        name: String::from_utf8(reader.rest().to_vec()).ok()?,
        keys: Default::default(),
    })
}
