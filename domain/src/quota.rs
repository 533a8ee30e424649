//! Quotas: how much a share may hold, how much each thing counts, and when growth is refused.
//!
//! Bytes are counted as they are allocated: the bytes that extents hold, and the bytes that nodes, names, targets of
//! symlinks, access control lists and extended attributes count for. Bytes that are only in the journal count by the
//! growth of the share once they are stored: bytes that replace stored bytes, or replace others that are not stored yet,
//! count once. This growth is known as an upper bound at first. Only where the bound does not fit, the real growth has
//! to be read from a map.

use crate::{
    acl::Acl,
    id::NodeId,
    node::{Node, NodeFlags, NodeKind},
    plan::{Change, Statistics},
};

/// Bytes that a node counts for, without its content, its names and its target: its row and the row of its map, with
/// the room that a tree of such rows leaves free.
pub const NODE_BYTES: u64 = 512;
/// Bytes that a name counts for, however long it is, so that no rename is ever refused: its row by name and its row by
/// cookie, each with at most 255 bytes of name.
pub const NAME_BYTES: u64 = 512;

/// The most that a share may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes allocated.
    pub bytes: u64,
    /// Nodes, the root among them.
    pub nodes: u64,
}

impl Quota {
    /// No bound that could be met.
    pub const NONE: Quota = Quota { bytes: u64::MAX, nodes: u64::MAX };
}

/// Bytes and nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Bytes.
    pub bytes: u64,
    /// Nodes.
    pub nodes: u64,
}

impl Amount {
    /// Bytes alone.
    pub fn of_bytes(bytes: u64) -> Amount {
        Amount { bytes, nodes: 0 }
    }

    /// How far a plan makes the sums of its share rise; what it frees is not set off against other sums.
    pub fn of_growth(sums: Statistics) -> Amount {
        let risen = |sum: i64| u64::try_from(sum).unwrap_or(0);
        Amount { bytes: risen(sums.bytes), nodes: risen(sums.nodes) }
    }

    fn plus(self, other: Amount) -> Amount {
        let bytes = self.bytes.saturating_add(other.bytes);
        Amount { bytes, nodes: self.nodes.saturating_add(other.nodes) }
    }
}

/// The amount that a share holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// The amount that its metadata report.
    pub stored: Amount,
    /// The most that it grows once everything is stored that was taken and is not stored yet.
    pub coming: Amount,
    /// Whether something that was removed is still counted.
    pub is_freeing: bool,
}

/// Whether something more may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fits.
    Fits,
    /// It may fit once what was taken is stored, or what was removed is gone.
    Wait,
    /// It is too much.
    Over,
}

/// Decides whether a share that holds so much may grow. A request that does not make it grow is never refused, however
/// full the share is.
pub fn judge(quota: Quota, holding: Holding, growth: Amount) -> Verdict {
    let fits = |held: Amount| {
        let then = held.plus(growth);
        (growth.bytes == 0 || then.bytes <= quota.bytes) && (growth.nodes == 0 || then.nodes <= quota.nodes)
    };
    if fits(holding.stored.plus(holding.coming)) {
        Verdict::Fits
    } else if !fits(Amount::default()) {
        // Not even in an empty share.
        Verdict::Over
    } else if holding.is_freeing || fits(holding.stored) {
        Verdict::Wait
    } else {
        Verdict::Over
    }
}

/// Returns the bytes that a node counts for without its names and its content.
pub fn node_bytes(node: &Node) -> u64 {
    let target = node.target.as_ref().map_or(0, |target| target.len() as u64);
    NODE_BYTES + target + acl_bytes(node.acl.as_deref()) + u64::from(node.xattr_bytes)
}

/// Returns the bytes that an access control list counts for.
pub fn acl_bytes(acl: Option<&Acl>) -> u64 {
    acl.map_or(0, |acl| acl.encoded_len() as u64)
}

/// Returns the bytes that a node counts for with all its names, without its content. The root is always there and
/// counts nothing.
pub fn metadata_bytes(node: &Node) -> u64 {
    if node.id == NodeId::ROOT {
        return 0;
    }
    let names = match node.kind {
        _ if node.flags.contains(NodeFlags::UNLINKED) => 0,
        NodeKind::Directory => 1,
        _ => u64::from(node.links),
    };
    node_bytes(node) + names * NAME_BYTES
}

/// The sums that a plan changes.
pub fn counted<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Statistics {
    let mut sums = Statistics::default();
    for change in changes {
        if let Change::Count(Statistics { bytes, nodes }) = change {
            sums.bytes = sums.bytes.saturating_add(*bytes);
            sums.nodes = sums.nodes.saturating_add(*nodes);
        }
    }
    sums
}

/// A node that comes, with one name.
pub(crate) fn node_comes(node: &Node) -> Change {
    Change::Count(Statistics { bytes: (node_bytes(node) + NAME_BYTES).cast_signed(), nodes: 1 })
}

/// A node gets another access control list, or none. The root's counts nothing, as nothing of the root does.
pub(crate) fn acl_changes(node: &Node, acl: Option<&Acl>) -> Option<Change> {
    let bytes = acl_bytes(acl).cast_signed() - acl_bytes(node.acl.as_deref()).cast_signed();
    let counts = bytes != 0 && node.id != NodeId::ROOT;
    counts.then_some(Change::Count(Statistics { bytes, nodes: 0 }))
}

/// A node gets other extended attributes. The root's count nothing.
pub(crate) fn xattrs_change(node: &Node, bytes: u32) -> Option<Change> {
    let bytes = i64::from(bytes) - i64::from(node.xattr_bytes);
    let counts = bytes != 0 && node.id != NodeId::ROOT;
    counts.then_some(Change::Count(Statistics { bytes, nodes: 0 }))
}

/// A node that goes, whose names are gone already.
pub fn node_goes(node: &Node) -> Change {
    Change::Count(Statistics { bytes: -node_bytes(node).cast_signed(), nodes: -1 })
}

/// A name that comes.
pub(crate) fn name_comes() -> Change {
    Change::Count(Statistics { bytes: NAME_BYTES.cast_signed(), nodes: 0 })
}

/// A name that goes.
pub(crate) fn name_goes() -> Change {
    Change::Count(Statistics { bytes: -NAME_BYTES.cast_signed(), nodes: 0 })
}

#[cfg(test)]
mod tests;
