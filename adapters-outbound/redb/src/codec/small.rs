//! Records of a few fields.

use dittofs_domain::{
    Cookie, Epoch, Name, NodeId, ObjectId, OpId, PlaceId, ShareId, Tree,
    plan::{ObjectRecord, ObjectState, UnlinkedReason},
};

use super::{VERSION, decode, decode_versions, read_since};
use crate::{fault::Fault, operations::Operation};

/// Version 1 did not say since when an entry is there.
const VERSION_OF_ENTRY: u8 = 2;
/// Version 1 did not say in which store an object is.
const VERSION_OF_OBJECT: u8 = 2;

pub(crate) fn encode_entry(node: NodeId, cookie: Cookie, since: Tree) -> Vec<u8> {
    let mut out = vec![VERSION_OF_ENTRY];
    out.extend_from_slice(&node.0.to_le_bytes());
    out.extend_from_slice(&cookie.0.to_le_bytes());
    out.extend_from_slice(&since.0.to_le_bytes());
    out
}

pub(crate) fn decode_entry(bytes: &[u8]) -> Result<(NodeId, Cookie), Fault> {
    decode_versions("an entry", bytes, VERSION_OF_ENTRY, |version, reader| {
        let entry = (NodeId(reader.u64()?), Cookie(reader.u64()?));
        read_since(version, reader).map(|_| entry)
    })
}

pub(crate) fn encode_listing(node: NodeId, name: &Name) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&node.0.to_le_bytes());
    out.extend_from_slice(name.as_bytes());
    out
}

pub(crate) fn decode_listing(bytes: &[u8]) -> Result<(NodeId, Name), Fault> {
    decode("a listing", bytes, |reader| Some((NodeId(reader.u64()?), Name::new(reader.rest()).ok()?)))
}

pub(crate) fn encode_reason(reason: UnlinkedReason) -> Vec<u8> {
    let reason = match reason {
        UnlinkedReason::Open => 0,
        UnlinkedReason::Reaping => 1,
    };
    vec![VERSION, reason]
}

pub(crate) fn decode_reason(bytes: &[u8]) -> Result<UnlinkedReason, Fault> {
    decode("an unlinked node's note", bytes, |reader| match reader.u8()? {
        0 => Some(UnlinkedReason::Open),
        1 => Some(UnlinkedReason::Reaping),
        _ => None,
    })
}

pub(crate) fn encode_object(record: &ObjectRecord) -> Vec<u8> {
    let state = match record.state {
        ObjectState::Writing => 0,
        ObjectState::Live => 1,
        ObjectState::PendingDelete => 2,
    };
    let mut out = vec![VERSION_OF_OBJECT, state];
    out.extend_from_slice(&record.owner.0.to_le_bytes());
    out.extend_from_slice(&record.bytes.to_le_bytes());
    out.extend_from_slice(&record.place.0.to_le_bytes());
    out
}

pub(crate) fn decode_object(id: ObjectId, bytes: &[u8]) -> Result<ObjectRecord, Fault> {
    decode_versions("an object", bytes, VERSION_OF_OBJECT, |version, reader| {
        let state = match reader.u8()? {
            0 => ObjectState::Writing,
            1 => ObjectState::Live,
            2 => ObjectState::PendingDelete,
            _ => return None,
        };
        let (owner, bytes) = (Epoch(reader.u64()?), reader.u64()?);
        let place = if version == 1 { PlaceId::HOME } else { PlaceId(reader.u32()?) };
        Some(ObjectRecord { id, state, owner, bytes, place })
    })
}

pub(crate) fn encode_count(count: i64) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&count.to_le_bytes());
    out
}

pub(crate) fn decode_count(bytes: &[u8]) -> Result<i64, Fault> {
    decode("a count", bytes, |reader| reader.i64())
}

/// Bytes of an operation.
const OPERATION_LEN: usize = 8 + 16 + 8;

/// The operations of a transaction. No node is 0.
pub(crate) fn encode_operations(operations: &[Operation]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + operations.len() * OPERATION_LEN);
    out.push(VERSION);
    for Operation { share, op, made } in operations {
        out.extend_from_slice(&share.0.to_le_bytes());
        out.extend_from_slice(&op.0.to_le_bytes());
        out.extend_from_slice(&made.map_or(0, |made| made.0).to_le_bytes());
    }
    out
}

pub(crate) fn decode_operations(bytes: &[u8]) -> Result<Vec<Operation>, Fault> {
    decode("the operations of a transaction", bytes, |reader| {
        let mut operations = Vec::with_capacity(reader.left() / OPERATION_LEN);
        while !reader.is_at_end() {
            let (share, op) = (ShareId(reader.u64()?), OpId(reader.u128()?));
            let made = Some(NodeId(reader.u64()?)).filter(|made| made.0 != 0);
            operations.push(Operation { share, op, made });
        }
        Some(operations)
    })
}
