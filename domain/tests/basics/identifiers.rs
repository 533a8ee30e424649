use dittofs_domain::{ChangeId, Cookie, FsError, NodeId, NodeKind, ObjectId, Sequence};

#[test]
fn node_ids_fit_in_63_bits_and_leave_room_for_reserved_ones() {
    for (id, valid) in [(0, false), (2, false), (3, true), (4, true), (i64::MAX as u64, true), (1 << 63, false)] {
        assert_eq!(NodeId(id).is_valid(), valid, "{id}");
    }
    assert!(NodeId::ROOT.is_valid() && NodeId::MAX.is_valid());
    assert_eq!(NodeId::FIRST_FREE.0, NodeId::ROOT.0 + 1);
}

#[test]
fn sequences_follow_one_another_from_none() {
    assert_eq!(Sequence::default().next(), Sequence(1));
    assert_eq!(Cookie::START, Cookie::default());
}

#[test]
fn identifiers_are_printed_with_what_they_are() {
    assert_eq!(format!("{:?} {}", ChangeId(7), ChangeId(7)), "ChangeId(7) 7");
    let object = ObjectId(0xab);
    assert_eq!(object.to_string(), "000000000000000000000000000000ab");
    assert_eq!(format!("{object:?}"), format!("ObjectId({object})"));
}

#[test]
fn only_files_and_streams_have_content() {
    let kinds = [
        (NodeKind::File, true),
        (NodeKind::Directory, false),
        (NodeKind::Symlink, false),
        (NodeKind::Fifo, false),
        (NodeKind::Socket, false),
        (NodeKind::BlockDevice, false),
        (NodeKind::CharDevice, false),
        (NodeKind::Stream, true),
    ];
    for (kind, content) in kinds {
        assert_eq!(kind.has_content(), content, "{kind:?}");
    }
}

#[test]
fn errors_are_printed_in_words() {
    assert_eq!(FsError::Stale.to_string(), "stale handle");
    assert_eq!(FsError::Locked.to_string(), "locked");
}
