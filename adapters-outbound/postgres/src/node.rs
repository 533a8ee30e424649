//! Rows of nodes.

use std::sync::Arc;

use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, Node, NodeId, NodeKind, Sequence, Timestamp, Tree,
    content::{PendingTruncation, ReplayExclusion, ReplayExclusions},
    node::{Device, NodeFlags, Parent},
};
use sqlx::{Decode, Postgres, Row, Type, postgres::PgRow};

use crate::{
    connections::Statement,
    fault::Fault,
    numbers::{signed, unsigned},
};

/// The columns of a node, as they are selected, with their types.
pub(crate) const COLUMNS: [(&str, &str); 35] = [
    ("id", "int8"),
    ("size", "int8"),
    ("allocated", "int8"),
    ("atime", "int8"),
    ("mtime", "int8"),
    ("ctime", "int8"),
    ("birth", "int8"),
    ("change", "int8"),
    ("permission_version", "int8"),
    ("content_version", "int8"),
    ("content_seq", "int8"),
    ("times_seq", "int8"),
    ("parent", "int8"),
    ("parent_cookie", "int8"),
    ("atime_nanos", "int4"),
    ("mtime_nanos", "int4"),
    ("ctime_nanos", "int4"),
    ("birth_nanos", "int4"),
    ("uid", "int4"),
    ("gid", "int4"),
    ("links", "int4"),
    ("since", "int4"),
    ("mode", "int2"),
    ("kind", "int2"),
    ("flags", "int2"),
    ("device", "int8"),
    ("create_verifier", "int8"),
    ("truncation_offset", "int8"),
    ("truncation_version", "int8"),
    ("truncation_end", "int8"),
    ("dos_attributes", "int4"),
    ("target", "bytea"),
    ("exclusions", "bytea"),
    ("acl", "bytea"),
    ("xattr_bytes", "int4"),
];

/// Bytes of a replay exclusion.
const EXCLUSION_BYTES: usize = 24;

/// Reads columns of a row one after another.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r PgRow, first: usize) -> Columns<'r> {
        Columns { row, next: first }
    }

    pub(crate) fn take<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> Result<T, Fault> {
        let value = self.row.try_get(self.next);
        self.next += 1;
        value.map_err(|error| Fault::Damaged(Box::new(error)))
    }

    fn number(&mut self) -> Result<u64, Fault> {
        self.take::<i64>().map(unsigned)
    }

    fn small(&mut self) -> Result<u32, Fault> {
        self.take::<i32>().map(i32::cast_unsigned)
    }
}

/// Reads the node whose columns begin at one; none where they are empty.
pub(crate) fn read(row: &PgRow, first: usize) -> Result<Option<Arc<Node>>, Fault> {
    let mut columns = Columns::new(row, first);
    let Some(id) = columns.take::<Option<i64>>()? else { return Ok(None) };
    read_columns(unsigned(id), &mut columns)?
        .map(|node| Some(Arc::new(node)))
        .ok_or_else(|| Fault::damaged(format!("the row of node {id} makes no sense")))
}

/// None for values that no node has.
fn read_columns(id: u64, columns: &mut Columns<'_>) -> Result<Option<Node>, Fault> {
    let (size, allocated) = (columns.number()?, columns.number()?);
    let seconds: [i64; 4] = [columns.take()?, columns.take()?, columns.take()?, columns.take()?];
    let change = ChangeId(columns.number()?);
    let permission_version = columns.number()?;
    let content_version = ContentVersion(columns.number()?);
    let (content_seq, times_seq) = (Sequence(columns.number()?), Sequence(columns.number()?));
    let parent = Parent { directory: NodeId(columns.number()?), cookie: Cookie(columns.number()?) };
    let nanos = [columns.small()?, columns.small()?, columns.small()?, columns.small()?];
    let (uid, gid, links, since) = (columns.small()?, columns.small()?, columns.small()?, Tree(columns.small()?));
    let (mode, kind, flags): (i16, i16, i16) = (columns.take()?, columns.take()?, columns.take()?);
    let (device, create_verifier): (Option<i64>, Option<i64>) = (columns.take()?, columns.take()?);
    let truncation: [Option<i64>; 3] = [columns.take()?, columns.take()?, columns.take()?];
    let dos_attributes: Option<i32> = columns.take()?;
    let [target, exclusions, acl]: [Option<&[u8]>; 3] = [columns.take()?, columns.take()?, columns.take()?];
    let xattr_bytes: Option<i32> = columns.take()?;
    let make = || {
        let time = |which: usize| Timestamp::new(seconds[which], nanos[which]);
        Some(Node {
            id: NodeId(id),
            kind: kind_of(kind)?,
            mode: u16::try_from(mode).ok()?,
            uid,
            gid,
            links,
            size,
            allocated,
            atime: time(0)?,
            mtime: time(1)?,
            ctime: time(2)?,
            birth: time(3)?,
            change,
            permission_version,
            content_version,
            content_seq,
            times_seq,
            since,
            parent,
            device: device.map(device_of).unwrap_or_default(),
            dos_attributes: dos_attributes.unwrap_or_default().cast_unsigned(),
            create_verifier: create_verifier.map(i64::to_be_bytes),
            target: target.map(Arc::from),
            flags: NodeFlags::from_bits(u8::try_from(flags).ok()?)?,
            pending_truncation: truncation_of(truncation)?,
            replay_exclusions: exclusions.map_or_else(|| Some(ReplayExclusions::default()), exclusions_of)?,
            acl: acl.map(Acl::from_bytes).transpose().ok()?.map(Arc::new),
            xattr_bytes: xattr_bytes.unwrap_or_default().cast_unsigned(),
        })
    };
    Ok(make())
}

/// Adds the columns of a node as arguments.
pub(crate) fn with_columns(statement: Statement, node: &Node) -> Statement {
    let numbers = [
        node.id.0,
        node.size,
        node.allocated,
        node.atime.seconds().cast_unsigned(),
        node.mtime.seconds().cast_unsigned(),
        node.ctime.seconds().cast_unsigned(),
        node.birth.seconds().cast_unsigned(),
        node.change.0,
        node.permission_version,
        node.content_version.0,
        node.content_seq.0,
        node.times_seq.0,
        node.parent.directory.0,
        node.parent.cookie.0,
    ];
    let times = [node.atime, node.mtime, node.ctime, node.birth].map(Timestamp::nanos);
    let small = times.into_iter().chain([node.uid, node.gid, node.links, node.since.0]);
    let tiny = [node.mode.cast_signed(), node.kind as i16, node.flags.bits().into()];
    let statement = numbers.into_iter().fold(statement, |statement, number| statement.with(signed(number)));
    let statement = small.fold(statement, |statement, number| statement.with(number.cast_signed()));
    let statement = tiny.into_iter().fold(statement, Statement::with);
    let truncation = node.pending_truncation;
    statement
        .with(device_column(node.device))
        .with(node.create_verifier.map(i64::from_be_bytes))
        .with(truncation.map(|truncation| signed(truncation.offset)))
        .with(truncation.map(|truncation| signed(truncation.version.0)))
        .with(truncation.map(|truncation| signed(truncation.end_page)))
        .with(Some(node.dos_attributes.cast_signed()).filter(|attributes| *attributes != 0))
        .with(node.target.as_ref().map(|target| target.to_vec()))
        .with(exclusions_column(&node.replay_exclusions))
        .with(node.acl.as_ref().map(|acl| acl.to_bytes()))
        .with(Some(node.xattr_bytes.cast_signed()).filter(|bytes| *bytes != 0))
}

fn kind_of(number: i16) -> Option<NodeKind> {
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
    kinds.into_iter().find(|kind| *kind as i16 == number)
}

/// The column of a device's numbers; none for a node that is no device.
pub(crate) fn device_column(device: Device) -> Option<i64> {
    let bits = u64::from(device.major) << 32 | u64::from(device.minor);
    (bits != 0).then_some(signed(bits))
}

fn device_of(column: i64) -> Device {
    let bits = unsigned(column);
    Device { major: (bits >> 32) as u32, minor: bits as u32 }
}

/// None where some of the columns are empty and others are not.
fn truncation_of(columns: [Option<i64>; 3]) -> Option<Option<PendingTruncation>> {
    match columns {
        [None, None, None] => Some(None),
        [Some(offset), Some(version), Some(end)] => Some(Some(PendingTruncation {
            offset: unsigned(offset),
            version: ContentVersion(unsigned(version)),
            end_page: unsigned(end),
        })),
        _ => None,
    }
}

/// The column of replay exclusions; none if there are none.
pub(crate) fn exclusions_column(exclusions: &ReplayExclusions) -> Option<Vec<u8>> {
    if exclusions.is_empty() {
        return None;
    }
    let numbers = exclusions.iter().flat_map(|exclusion| [exclusion.up_to.0, exclusion.offset, exclusion.end]);
    Some(numbers.flat_map(u64::to_be_bytes).collect())
}

fn exclusions_of(bytes: &[u8]) -> Option<ReplayExclusions> {
    if !bytes.len().is_multiple_of(EXCLUSION_BYTES) {
        return None;
    }
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_be_bytes);
    let exclusion = |bytes: &[u8]| {
        let (up_to, range) = bytes.split_at_checked(8)?;
        let (offset, end) = range.split_at_checked(8)?;
        Some(ReplayExclusion { up_to: Sequence(number(up_to)?), offset: number(offset)?, end: number(end)? })
    };
    bytes.chunks_exact(EXCLUSION_BYTES).map(exclusion).collect()
}
