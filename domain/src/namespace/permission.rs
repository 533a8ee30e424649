//! Whether content may be read and written.

use crate::{
    access::{AccessMask, NodeSecurity, granted},
    credentials::Credentials,
    error::{FsError, FsResult},
    node::NodeKind,
};

/// Demands the right to read content. Where calls are `stateless` (NFSv3), the owner always may: it may have opened
/// the file before it took the right away (RFC 1813, 4.4). Who may execute a file may read it: a client reads what
/// it executes.
///
/// # Errors
/// `IsDirectory` or `Invalid` for what has no content; `Access`.
pub fn may_read(security: &NodeSecurity<'_>, credentials: &Credentials, stateless: bool) -> FsResult<()> {
    check_content(security.kind)?;
    let rights = AccessMask::READ_DATA | AccessMask::EXECUTE;
    let may = granted(security, credentials).intersects(rights) || overrides(security, credentials, stateless);
    if may { Ok(()) } else { Err(FsError::Access) }
}

/// Demands the right to write content; the owner always may where calls are `stateless`, as in [`may_read`].
///
/// # Errors
/// `IsDirectory` or `Invalid` for what has no content; `Access`.
pub fn may_write(security: &NodeSecurity<'_>, credentials: &Credentials, stateless: bool) -> FsResult<()> {
    check_content(security.kind)?;
    let may =
        granted(security, credentials).contains(AccessMask::WRITE_DATA) || overrides(security, credentials, stateless);
    if may { Ok(()) } else { Err(FsError::Access) }
}

fn overrides(security: &NodeSecurity<'_>, credentials: &Credentials, stateless: bool) -> bool {
    stateless && credentials.uid == security.uid
}

fn check_content(kind: NodeKind) -> FsResult<()> {
    match kind {
        NodeKind::File | NodeKind::Stream => Ok(()),
        NodeKind::Directory => Err(FsError::IsDirectory),
        NodeKind::Symlink | NodeKind::Fifo | NodeKind::Socket | NodeKind::BlockDevice | NodeKind::CharDevice => {
            Err(FsError::Invalid)
        }
    }
}
