//! TREE_CONNECT and TREE_DISCONNECT (MS-SMB2, 3.3.5.7 and 3.3.5.8).

use std::sync::{Arc, atomic::Ordering};

use dittofs_domain::{access::AccessMask, users::Permitted};
use dittofs_smb_wire::{
    NtStatus, Response, access,
    tree_connect::{ShareCapabilities, ShareFlags, ShareType, TreeConnectRequest, TreeConnectResponse},
};
use parking_lot::RwLock;

use super::shares::{Found, find};
use crate::{
    calls::{Call, Done},
    closing::close_tree,
    failure::Failure,
    holdings::OPEN_KIB,
    share::{PIPES, is_same, of_path},
    tree::{Files, Tree, TreeKind},
};

pub(super) async fn connect(call: &Call, request: &TreeConnectRequest) -> Result<Done, Failure> {
    if call.session.is_anonymous.load(Ordering::Acquire) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let path = request.path.decode().map_err(|_| NtStatus::BAD_NETWORK_NAME)?;
    let name = of_path(&path).ok_or(NtStatus::BAD_NETWORK_NAME)?;
    let kind = if is_same(name, PIPES) { TreeKind::Pipes } else { TreeKind::Files(files(call, name).await?) };
    let (share_type, share_flags) = match &kind {
        TreeKind::Pipes => (ShareType::PIPE, ShareFlags::NO_CACHING),
        TreeKind::Files(files) if files.must_be_sealed => (ShareType::DISK, ShareFlags::ENCRYPT_DATA),
        // Clients may keep files for use without the server, if their users want.
        TreeKind::Files(_) => (ShareType::DISK, ShareFlags::empty()),
    };
    let rights = match &kind {
        TreeKind::Files(files) if files.read_only => AccessMask::all() - CHANGES,
        _ => AccessMask::all(),
    };
    let held = call.session.hold(OPEN_KIB)?;
    let tree = call.session.add_tree(|id| Tree { id: id as u32, kind, _held: held })?;
    call.answer_for_tree(tree.id);
    let body = TreeConnectResponse {
        share_type,
        share_flags,
        capabilities: ShareCapabilities::empty(),
        maximal_access: access::AccessMask::from_bits_retain(rights.bits()),
    };
    Ok(Response::TreeConnect(body).into())
}

/// The rights that change something.
pub(super) const CHANGES: AccessMask = AccessMask::WRITE_DATA
    .union(AccessMask::APPEND_DATA)
    .union(AccessMask::WRITE_NAMED_ATTRS)
    .union(AccessMask::DELETE_CHILD)
    .union(AccessMask::WRITE_ATTRIBUTES)
    .union(AccessMask::DELETE)
    .union(AccessMask::WRITE_ACL)
    .union(AccessMask::WRITE_OWNER);

/// Enters a share.
///
/// # Errors
/// Those of [`find`]; `ACCESS_DENIED` if the share demands encryption (3.3.5.7), and the dialect has none, or the
/// client none that the server knows.
async fn files(call: &Call, name: &str) -> Result<Files, NtStatus> {
    let Found { share, who, entered, permitted } = find(call, name).await?;
    let must_be_sealed = entered.share.requires_encryption();
    if must_be_sealed && call.session.keys.sealing.is_none() {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(Files {
        root: entered.share.handle_signer().handle(entered.node.node),
        who: RwLock::new(Arc::new(who)),
        read_only: permitted < Permitted::Write,
        must_be_sealed,
        name: share.name,
        short_name: share.short_name,
    })
}

pub(super) async fn disconnect(call: &Call) -> Result<Done, Failure> {
    close_tree(&call.link.server, &call.session, call.tree()?).await;
    Ok(Response::Empty.into())
}
