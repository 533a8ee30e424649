use dittofs_domain::{
    Attributes, ChangeId, NodeId, NodeKind, Timestamp,
    namespace::{SetAttributes, SetTime},
    node::Device,
};
use dittofs_smb_wire::{
    NtStatus,
    attributes::FileAttributes,
    filetime::{FileTime, TimeChange},
    info::set::BasicChange,
};
use proptest::prelude::*;

use super::changes;
use crate::facts::{attributes, file_time};

const NOTHING: BasicChange = BasicChange {
    creation: TimeChange::Unchanged,
    last_access: TimeChange::Unchanged,
    last_write: TimeChange::Unchanged,
    change: TimeChange::Unchanged,
    attributes: None,
};

fn node(kind: NodeKind, dos_attributes: u32) -> Attributes {
    let time = |seconds| Timestamp::new(seconds, 123_456_789).unwrap();
    Attributes {
        node: NodeId(7),
        file: NodeId(7),
        kind,
        mode: 0o644,
        uid: 1,
        gid: 1,
        links: 1,
        size: 0,
        used: 0,
        atime: time(10),
        mtime: time(20),
        ctime: time(30),
        birth: time(5),
        change: ChangeId(1),
        device: Device::default(),
        dos_attributes,
        xattr_bytes: 0,
        acl: None,
    }
}

#[test]
fn what_a_client_has_read_changes_nothing() {
    let found = node(NodeKind::File, FileAttributes::HIDDEN.bits());
    let as_read = BasicChange {
        creation: TimeChange::Set(file_time(found.birth)),
        last_access: TimeChange::Set(file_time(found.atime)),
        last_write: TimeChange::Set(file_time(found.mtime)),
        change: TimeChange::Set(file_time(found.ctime)),
        attributes: Some(attributes(&found)),
    };
    assert_eq!(changes(&as_read, &found), Ok(SetAttributes::default()));
    assert_eq!(changes(&NOTHING, &found), Ok(SetAttributes::default()));
    let frozen = BasicChange { last_write: TimeChange::StopUpdates, change: TimeChange::ResumeUpdates, ..NOTHING };
    assert_eq!(changes(&frozen, &found), Ok(SetAttributes::default()));
}

#[test]
fn times_are_set_to_the_interval() {
    let found = node(NodeKind::File, 0);
    let time = FileTime::from_unix(-63_158_400, 700);
    let set = SetTime::To(Timestamp::new(-63_158_400, 700).unwrap());
    let wanted = changes(&BasicChange { last_write: TimeChange::Set(time), ..NOTHING }, &found).unwrap();
    assert_eq!(wanted, SetAttributes { mtime: set, ..SetAttributes::default() });
    let wanted = changes(&BasicChange { creation: TimeChange::Set(time), ..NOTHING }, &found).unwrap();
    assert_eq!(wanted, SetAttributes { birth: set, ..SetAttributes::default() });
}

#[test]
fn the_time_of_change_is_the_servers() {
    let found = node(NodeKind::File, 0);
    let change = BasicChange { change: TimeChange::Set(FileTime::from_unix(1, 0)), ..NOTHING };
    assert_eq!(changes(&change, &found), Ok(SetAttributes::default()));
}

#[test]
fn attributes_must_fit_the_kind_of_node() {
    let file = node(NodeKind::File, 0);
    let directory = node(NodeKind::Directory, 0);
    let with = |attributes| BasicChange { attributes: Some(attributes), ..NOTHING };
    assert_eq!(changes(&with(FileAttributes::DIRECTORY), &file), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(changes(&with(FileAttributes::TEMPORARY), &directory), Err(NtStatus::INVALID_PARAMETER));
    assert!(changes(&with(FileAttributes::DIRECTORY | FileAttributes::HIDDEN), &directory).is_ok());
}

proptest! {
    #[test]
    fn attributes_are_read_back_as_they_were_set(bits in 0u32..0x80, sparse: bool) {
        let wanted = FileAttributes::from_bits_retain(bits)
            & (FileAttributes::READONLY | FileAttributes::HIDDEN | FileAttributes::SYSTEM | FileAttributes::ARCHIVE);
        let kept = if sparse { FileAttributes::SPARSE_FILE } else { FileAttributes::empty() };
        let found = node(NodeKind::File, kept.bits() | FileAttributes::OFFLINE.bits());
        let change = BasicChange { attributes: Some(wanted | FileAttributes::NORMAL), ..NOTHING };
        let set = changes(&change, &found).unwrap().dos_attributes.unwrap();
        prop_assert_eq!(attributes(&node(NodeKind::File, set)), (wanted | kept).presented());
    }
}
