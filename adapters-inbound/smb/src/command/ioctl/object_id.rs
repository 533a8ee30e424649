//! The object identifier of a file (MS-FSCC, 2.1.3): it finds a file again that was renamed.

use dittofs_domain::{NodeId, ShareId};
use dittofs_smb_wire::control::ObjectId;

/// The identifier of a node. Every node has one, as ids of nodes are never given twice.
pub(super) fn of(share: ShareId, node: NodeId) -> ObjectId {
    let object_id = joined(share.0, node.0);
    ObjectId { object_id, birth_volume_id: joined(share.0, 0), birth_object_id: object_id, domain_id: [0; 16] }
}

fn joined(high: u64, low: u64) -> [u8; 16] {
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}
