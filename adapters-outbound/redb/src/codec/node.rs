//! Nodes. The id is in the key.

use std::sync::Arc;

use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, Node, NodeId, NodeKind, Sequence, Timestamp,
    content::{PendingTruncation, ReplayExclusion, ReplayExclusions},
    node::{Device, NodeFlags, Parent},
};

use super::{Reader, decode_versions, read_since};
use crate::fault::Fault;

/// Version 1 did not say in which tree the node was written, and had one byte each for flags and which fields are
/// there. Version 3 has an access control list, and version 4 what extended attributes count for. Each is written only
/// of nodes that need it: others stay as they were.
const VERSION: u8 = 4;
const VERSION_WITH_ACL: u8 = 3;
const VERSION_WITHOUT_ACL: u8 = 2;

/// Which of the fields at the end are there.
mod present {
    pub(super) const DEVICE: u16 = 1;
    pub(super) const DOS_ATTRIBUTES: u16 = 2;
    pub(super) const CREATE_VERIFIER: u16 = 4;
    pub(super) const TARGET: u16 = 8;
    pub(super) const PENDING_TRUNCATION: u16 = 16;
    pub(super) const REPLAY_EXCLUSIONS: u16 = 32;
    pub(super) const ALL_WITHOUT_ACL: u16 = 63;
    pub(super) const ACL: u16 = 64;
    pub(super) const XATTRS: u16 = 128;
}

pub(crate) fn encode_node(node: &Node) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    let version = match (node.xattr_bytes, &node.acl) {
        (1.., _) => VERSION,
        (0, Some(_)) => VERSION_WITH_ACL,
        (0, None) => VERSION_WITHOUT_ACL,
    };
    out.extend_from_slice(&[version, node.kind as u8]);
    for bits in [node.flags.bits().into(), present_of(node)] {
        out.extend_from_slice(&bits.to_le_bytes());
    }
    out.extend_from_slice(&node.since.0.to_le_bytes());
    out.extend_from_slice(&node.mode.to_le_bytes());
    for number in [node.uid, node.gid, node.links] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for number in [node.size, node.allocated] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for time in [node.atime, node.mtime, node.ctime, node.birth] {
        out.extend_from_slice(&time.seconds().to_le_bytes());
        out.extend_from_slice(&time.nanos().to_le_bytes());
    }
    let versions = [node.change.0, node.permission_version, node.content_version.0, node.content_seq.0];
    for number in versions.into_iter().chain([node.times_seq.0, node.parent.directory.0, node.parent.cookie.0]) {
        out.extend_from_slice(&number.to_le_bytes());
    }
    if node.device != Device::default() {
        out.extend_from_slice(&node.device.major.to_le_bytes());
        out.extend_from_slice(&node.device.minor.to_le_bytes());
    }
    if node.dos_attributes != 0 {
        out.extend_from_slice(&node.dos_attributes.to_le_bytes());
    }
    if let Some(verifier) = &node.create_verifier {
        out.extend_from_slice(verifier);
    }
    if let Some(target) = &node.target {
        out.extend_from_slice(&(target.len() as u32).to_le_bytes());
        out.extend_from_slice(target);
    }
    if let Some(PendingTruncation { offset, version, end_page }) = node.pending_truncation {
        for number in [offset, version.0, end_page] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    if !node.replay_exclusions.is_empty() {
        out.extend_from_slice(&(node.replay_exclusions.len() as u32).to_le_bytes());
        for number in node.replay_exclusions.iter().flat_map(|one| [one.up_to.0, one.offset, one.end]) {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    if let Some(acl) = &node.acl {
        let bytes = acl.to_bytes();
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    if node.xattr_bytes != 0 {
        out.extend_from_slice(&node.xattr_bytes.to_le_bytes());
    }
    out
}

fn present_of(node: &Node) -> u16 {
    let flag = |is: bool, flag: u16| if is { flag } else { 0 };
    flag(node.device != Device::default(), present::DEVICE)
        | flag(node.dos_attributes != 0, present::DOS_ATTRIBUTES)
        | flag(node.create_verifier.is_some(), present::CREATE_VERIFIER)
        | flag(node.target.is_some(), present::TARGET)
        | flag(node.pending_truncation.is_some(), present::PENDING_TRUNCATION)
        | flag(!node.replay_exclusions.is_empty(), present::REPLAY_EXCLUSIONS)
        | flag(node.acl.is_some(), present::ACL)
        | flag(node.xattr_bytes != 0, present::XATTRS)
}

pub(crate) fn decode_node(id: NodeId, bytes: &[u8]) -> Result<Node, Fault> {
    decode_versions("a node", bytes, VERSION, |version, reader| read(version, id, reader))
}

fn read(version: u8, id: NodeId, reader: &mut Reader<'_>) -> Option<Node> {
    let kind = kind(reader.u8()?)?;
    let mut bits = || if version == 1 { reader.u8().map(u16::from) } else { reader.u16() };
    let flags = NodeFlags::from_bits(bits()?.try_into().ok()?)?;
    let known = match version {
        ..=VERSION_WITHOUT_ACL => present::ALL_WITHOUT_ACL,
        VERSION_WITH_ACL => present::ALL_WITHOUT_ACL | present::ACL,
        _ => present::ALL_WITHOUT_ACL | present::ACL | present::XATTRS,
    };
    let there = bits().filter(|there| there & !known == 0)?;
    let since = read_since(version, reader)?;
    Some(Node {
        id,
        kind,
        flags,
        since,
        mode: reader.u16()?,
        uid: reader.u32()?,
        gid: reader.u32()?,
        links: reader.u32()?,
        size: reader.u64()?,
        allocated: reader.u64()?,
        atime: time(reader)?,
        mtime: time(reader)?,
        ctime: time(reader)?,
        birth: time(reader)?,
        change: ChangeId(reader.u64()?),
        permission_version: reader.u64()?,
        content_version: ContentVersion(reader.u64()?),
        content_seq: Sequence(reader.u64()?),
        times_seq: Sequence(reader.u64()?),
        parent: Parent { directory: NodeId(reader.u64()?), cookie: Cookie(reader.u64()?) },
        device: if there & present::DEVICE != 0 {
            Device { major: reader.u32()?, minor: reader.u32()? }
        } else {
            Device::default()
        },
        dos_attributes: if there & present::DOS_ATTRIBUTES != 0 { reader.u32()? } else { 0 },
        create_verifier: if there & present::CREATE_VERIFIER != 0 { Some(reader.array()?) } else { None },
        target: if there & present::TARGET != 0 { Some(target(reader)?) } else { None },
        pending_truncation: if there & present::PENDING_TRUNCATION != 0 {
            Some(pending_truncation(reader)?)
        } else {
            None
        },
        replay_exclusions: if there & present::REPLAY_EXCLUSIONS != 0 {
            replay_exclusions(reader)?
        } else {
            ReplayExclusions::default()
        },
        acl: if there & present::ACL != 0 { Some(acl(reader)?) } else { None },
        xattr_bytes: if there & present::XATTRS != 0 { reader.u32()? } else { 0 },
    })
}

fn kind(number: u8) -> Option<NodeKind> {
    let kinds = [
        NodeKind::File,
        NodeKind::Directory,
        NodeKind::Symlink,
        NodeKind::Fifo,
        NodeKind::Socket,
        NodeKind::BlockDevice,
        NodeKind::CharDevice,
        NodeKind::Stream,
    ];
    kinds.into_iter().find(|kind| *kind as u8 == number)
}

fn time(reader: &mut Reader<'_>) -> Option<Timestamp> {
    Timestamp::new(reader.i64()?, reader.u32()?)
}

fn target(reader: &mut Reader<'_>) -> Option<Arc<[u8]>> {
    let len = reader.u32()?;
    reader.bytes(len as usize).map(Arc::from)
}

fn acl(reader: &mut Reader<'_>) -> Option<Arc<Acl>> {
    let len = reader.u32()?;
    Acl::from_bytes(reader.bytes(len as usize)?).ok().map(Arc::new)
}

fn pending_truncation(reader: &mut Reader<'_>) -> Option<PendingTruncation> {
    Some(PendingTruncation { offset: reader.u64()?, version: ContentVersion(reader.u64()?), end_page: reader.u64()? })
}

fn replay_exclusions(reader: &mut Reader<'_>) -> Option<ReplayExclusions> {
    let count = reader.u32()?;
    let exclusion =
        |_| Some(ReplayExclusion { up_to: Sequence(reader.u64()?), offset: reader.u64()?, end: reader.u64()? });
    (0..count).map(exclusion).collect()
}
