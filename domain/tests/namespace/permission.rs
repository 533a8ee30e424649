//! Reading and writing.

use dittofs_domain::{
    Credentials, FsError, NodeKind,
    access::NodeSecurity,
    namespace::permission::{may_read, may_write},
};
use rstest::rstest;

use crate::world::{alice, bob, carol, root};

#[rstest]
#[case::owner(alice(), 0o600, false, Ok(()), Ok(()))]
#[case::group(carol(), 0o640, false, Ok(()), Err(FsError::Access))]
#[case::other(bob(), 0o604, false, Ok(()), Err(FsError::Access))]
#[case::other_may_write_only(bob(), 0o602, false, Err(FsError::Access), Ok(()))]
#[case::nobody(bob(), 0o660, true, Err(FsError::Access), Err(FsError::Access))]
#[case::execute_reads(bob(), 0o711, true, Ok(()), Err(FsError::Access))]
#[case::owner_overrides_where_stateless(alice(), 0, true, Ok(()), Ok(()))]
#[case::owner_with_an_open_does_not(alice(), 0, false, Err(FsError::Access), Err(FsError::Access))]
#[case::root(root(), 0, false, Ok(()), Ok(()))]
fn content_is_for_who_may(
    #[case] who: Credentials,
    #[case] mode: u16,
    #[case] stateless: bool,
    #[case] read: Result<(), FsError>,
    #[case] write: Result<(), FsError>,
) {
    let security = NodeSecurity { kind: NodeKind::File, mode, uid: 1000, gid: 100, acl: None };
    assert_eq!(may_read(&security, &who, stateless), read);
    assert_eq!(may_write(&security, &who, stateless), write);
}

#[rstest]
#[case(NodeKind::Directory, Err(FsError::IsDirectory))]
#[case(NodeKind::Symlink, Err(FsError::Invalid))]
#[case(NodeKind::Fifo, Err(FsError::Invalid))]
#[case(NodeKind::Socket, Err(FsError::Invalid))]
#[case(NodeKind::BlockDevice, Err(FsError::Invalid))]
#[case(NodeKind::CharDevice, Err(FsError::Invalid))]
#[case(NodeKind::Stream, Ok(()))]
fn only_files_and_streams_have_content(#[case] kind: NodeKind, #[case] result: Result<(), FsError>) {
    let security = NodeSecurity { kind, mode: 0o777, uid: 0, gid: 0, acl: None };
    assert_eq!(may_read(&security, &root(), true), result);
    assert_eq!(may_write(&security, &root(), true), result);
}
