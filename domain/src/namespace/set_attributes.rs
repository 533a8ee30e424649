//! SETATTR (RFC 1813, 3.3.2; POSIX chmod, chown, utimensat, truncate).

use std::{borrow::Cow, sync::Arc};

use super::{
    Context, Decision, SetAttributes, SetTime, clear_privileges::without_privileges, directory::expect_permission,
    directory::security, permission::may_write, raise_above_shown,
};
use crate::{
    access::{AccessMask, granted},
    acl::Acl,
    attributes::{Pending, overlay},
    content::{FILE_BYTES_MAX, PendingTruncation, ReplayUpdate},
    credentials::{self, Credentials},
    error::{FsError, FsResult},
    id::{ContentVersion, NodeId},
    node::{Node, NodeKind, mode},
    plan::{Change, Expectation, NodeUpdate, Plan, Query, TimeChange, View},
    quota,
    time::Timestamp,
};

/// The changes that a new size makes to a file's map. The rules over content make them from the same view.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Resize {
    /// Changes of rows and references.
    pub changes: Vec<Change>,
    /// Difference of the bytes allocated.
    pub allocated: i64,
    /// The truncation that is left to the reaper, if that changes.
    pub pending_truncation: Option<Option<PendingTruncation>>,
    /// Whether a flush that was decided before must drop the truncated bytes.
    pub raises_content_version: bool,
    /// The changes to the replay of the journal.
    pub replay: ReplayUpdate,
}

/// Returns the query for the state that [`decide`] needs. A request with a size needs rows of the map as well.
pub fn query(node: NodeId) -> Query {
    Query::node(node)
}

/// Refuses what [`decide`] would refuse, without making a plan. Callers use it where a plan would cost more.
///
/// The owner may always resize: it may have opened the file before it took the right to write away, and could give
/// it back anyway.
///
/// # Errors
/// `Invalid` for an owner that is none; `IsDirectory` or `Invalid` for the size of a node without content; `TooLarge`;
/// `NotSync`; `Access` for a size or the server's time by a caller who may not write, and for DOS attributes by a
/// caller who is not the owner; `NotPermitted` for a mode, a list, an owner or a given time by a caller who may not set
/// it.
pub fn check(node: &Node, request: &SetAttributes, pending: Option<&Pending>, context: &Context<'_>) -> FsResult<()> {
    let request = &*applicable(node, request);
    credentials::check_owner(request.uid, request.gid)?;
    check_size(node, request, context.credentials)?;
    if request.guard.is_some_and(|guard| guard != overlay(node, pending).ctime) {
        return Err(FsError::NotSync);
    }
    check_owner(node, request, context.credentials)?;
    check_times(node, request, context.credentials)
}

/// Sets attributes, all in one change of the node. Times that were shown for bytes which are not flushed yet become
/// the node's own: its older journal records then no longer determine them.
///
/// A request with a size needs `resize`, and the caller's lock of the node.
///
/// # Errors
/// Those of [`check`]; `Stale` if the node is gone; `Invalid` for a size without `resize`.
pub fn decide(
    view: &View,
    node: NodeId,
    request: &SetAttributes,
    pending: Option<&Pending>,
    context: &Context<'_>,
    resize: Option<Resize>,
) -> FsResult<Decision> {
    let node = view.node(node)?;
    check(node, request, pending, context)?;
    let request = &*applicable(node, request);
    let mut plan = Plan::at(shown_now(pending, context.now));
    if is_empty(request) {
        return Ok(Decision { plan, node: node.id });
    }
    expect_permission(&mut plan, node);
    if request.guard.is_some() || request.size.is_some() {
        plan.require(Expectation::ChangeIs { node: node.id, change: node.change });
    }
    let mut update = NodeUpdate::changed();
    set_security(&mut update, node, request, context.credentials);
    if let Some(acl) = &update.acl {
        plan.changes.extend(quota::acl_changes(node, acl.as_deref()));
    }
    set_times(&mut update, node, request, pending, plan.now);
    update.dos_attributes = request.dos_attributes;
    if let Some(size) = request.size {
        let resize = resize.ok_or(FsError::Invalid)?;
        plan.require(Expectation::ContentVersion { node: node.id, version: node.content_version });
        update.size = Some(size);
        update.allocated = resize.allocated;
        update.pending_truncation = resize.pending_truncation;
        update.replay_exclusions = resize.replay.exclusions;
        update.content_seq = resize.replay.content_seq;
        update.content_version =
            resize.raises_content_version.then_some(ContentVersion(node.content_version.0.saturating_add(1)));
        plan.changes.extend(resize.changes);
    }
    plan.change(Change::UpdateNode(node.id, update));
    raise_above_shown(&mut plan, node.id, pending);
    Ok(Decision { plan, node: node.id })
}

/// Returns the request without the fields that the node has no use for. Nobody looks at the mode or the list of a
/// symlink, so it stays as it was made. Linux and knfsd accept such a request from any caller, and leave the mode out.
fn applicable<'r>(node: &Node, request: &'r SetAttributes) -> Cow<'r, SetAttributes> {
    if node.kind == NodeKind::Symlink && (request.mode.is_some() || request.acl.is_some()) {
        Cow::Owned(SetAttributes { mode: None, acl: None, ..request.clone() })
    } else {
        Cow::Borrowed(request)
    }
}

fn is_empty(request: &SetAttributes) -> bool {
    SetAttributes { guard: None, held: AccessMask::empty(), ..request.clone() } == SetAttributes::default()
}

/// The plan's time: later than any `ctime` that was shown.
pub(super) fn shown_now(pending: Option<&Pending>, now: Timestamp) -> Timestamp {
    pending.and_then(|pending| pending.shown).map_or(now, |(_, ctime)| ctime.advanced(now))
}

fn check_size(node: &Node, request: &SetAttributes, credentials: &Credentials) -> FsResult<()> {
    let Some(size) = request.size else { return Ok(()) };
    if !node.kind.has_content() || !request.held.contains(AccessMask::WRITE_DATA) {
        may_write(&security(node), credentials, true)?;
    }
    if size > FILE_BYTES_MAX { Err(FsError::TooLarge) } else { Ok(()) }
}

fn check_owner(node: &Node, request: &SetAttributes, credentials: &Credentials) -> FsResult<()> {
    let rights = granted(&security(node), credentials) | request.held;
    let privileged = credentials.is_privileged();
    // With the right to the owner everybody may take the node, and nobody may give it away.
    let gives_uid = request.uid.is_some_and(|uid| uid != node.uid && uid != credentials.uid);
    let gives_gid = request.gid.is_some_and(|gid| gid != node.gid && !credentials.in_group(gid));
    let owner_asked = request.uid.is_some() || request.gid.is_some();
    if owner_asked && !rights.contains(AccessMask::WRITE_OWNER) || (gives_uid || gives_gid) && !privileged {
        return Err(FsError::NotPermitted);
    }
    if (request.mode.is_some() || request.acl.is_some()) && !rights.contains(AccessMask::WRITE_ACL) {
        return Err(FsError::NotPermitted);
    }
    Ok(())
}

fn check_times(node: &Node, request: &SetAttributes, credentials: &Credentials) -> FsResult<()> {
    let rights = granted(&security(node), credentials);
    let owner = rights.contains(AccessMask::WRITE_ATTRIBUTES);
    let times = [request.atime, request.mtime, request.birth];
    if times.iter().any(|time| matches!(time, SetTime::To(_))) && !owner {
        return Err(FsError::NotPermitted);
    }
    if times.contains(&SetTime::Now) && !owner && !rights.contains(AccessMask::WRITE_DATA) {
        return Err(FsError::Access);
    }
    if request.dos_attributes.is_some() && !owner {
        return Err(FsError::Access);
    }
    Ok(())
}

fn set_security(update: &mut NodeUpdate, node: &Node, request: &SetAttributes, credentials: &Credentials) {
    update.uid = request.uid;
    update.gid = request.gid;
    let owner = (request.uid.unwrap_or(node.uid), request.gid.unwrap_or(node.gid));
    let acl = new_list(node, request, owner);
    let asked = match &acl {
        Some(acl) => {
            let bits = request.mode.map_or(node.mode, |asked| asked & mode::ALL);
            Some(bits & !mode::PERMISSIONS | acl.permission_bits(owner)).filter(|bits| *bits != node.mode)
        }
        None => request.mode,
    };
    update.mode = Some(new_mode(node, (asked, request), credentials)).filter(|bits| *bits != node.mode);
    update.acl = Some(acl).filter(|acl| *acl != node.acl);
    update.raise_permission_version = owner != (node.uid, node.gid) || update.mode.is_some() || update.acl.is_some();
}

/// The list afterwards: a mode changes it, and another one replaces it (RFC 8881, 6.4.1).
fn new_list(node: &Node, request: &SetAttributes, owner: (u32, u32)) -> Option<Arc<Acl>> {
    if let Some(acl) = &request.acl {
        return acl.clone();
    }
    let acl = node.acl.as_ref()?;
    match request.mode {
        Some(bits) => acl.with_mode(bits, owner, node.kind == NodeKind::Directory).map(Arc::new),
        None => Some(Arc::clone(acl)),
    }
}

fn new_mode(node: &Node, (asked, request): (Option<u16>, &SetAttributes), credentials: &Credentials) -> u16 {
    let privileged = credentials.is_privileged();
    let mut bits = asked.map_or(node.mode, |asked| asked & mode::ALL);
    if request.mode.is_some() && !privileged && !credentials.in_group(request.gid.unwrap_or(node.gid)) {
        bits &= !mode::SGID;
    }
    if request.mode.is_some() && !privileged && credentials.uid != node.uid {
        // A list may give the right to the mode to others. Nobody lets programs run as somebody else.
        bits &= !(mode::SUID | mode::SGID) | node.mode;
    }
    let chown = (request.uid.is_some() || request.gid.is_some()) && node.kind != NodeKind::Directory;
    let truncated = request.size.is_some() && request.mode.is_none() && !privileged;
    if chown || truncated { without_privileges(bits, node.gid, credentials) } else { bits }
}

fn set_times(update: &mut NodeUpdate, node: &Node, request: &SetAttributes, pending: Option<&Pending>, now: Timestamp) {
    let shown = pending.and_then(|pending| pending.times).filter(|(_, sequence)| *sequence > node.times_seq);
    update.times_seq = shown.map(|(_, sequence)| sequence);
    update.mtime = match (request.mtime, shown) {
        (SetTime::To(time), _) => TimeChange::Set(time),
        (SetTime::Now, _) => TimeChange::Set(now),
        (SetTime::Keep, _) if request.size.is_some() => TimeChange::Set(now),
        (SetTime::Keep, Some((time, _))) => TimeChange::Set(time),
        (SetTime::Keep, None) => TimeChange::Keep,
    };
    update.atime = match (request.atime, pending.and_then(|pending| pending.atime)) {
        (SetTime::To(time), _) => TimeChange::Set(time),
        (SetTime::Now, _) => TimeChange::Set(now),
        (SetTime::Keep, Some(time)) => TimeChange::AtLeast(time),
        (SetTime::Keep, None) => TimeChange::Keep,
    };
    update.birth = match request.birth {
        SetTime::To(time) => Some(time),
        SetTime::Now => Some(now),
        SetTime::Keep => None,
    };
}
