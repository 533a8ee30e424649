//! CREATE, MKDIR, SYMLINK and MKNOD (RFC 1813, 3.3.8 to 3.3.11; POSIX open, mkdir, symlink, mknod).

use std::sync::Arc;

use super::{
    Context, CreateHow, CreateRequest, Decision, DosAttributes, Fresh, InitialAccess, InitialAttributes, LINKS_MAX,
    NewKind, SetTime, TARGET_BYTES_MAX,
    directory::{expect_permission, may_add, searched},
};
use crate::{
    acl::Acl,
    content::{FILE_BYTES_MAX, MapRow, ReplayExclusions},
    credentials::{Credentials, check_owner},
    error::{FsError, FsResult},
    id::{ChangeId, ContentVersion, Sequence, Tree},
    name::Name,
    node::{Device, Node, NodeFlags, NodeKind, Parent, mode},
    plan::{Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, Plan, Query, View},
    quota,
    time::Timestamp,
};

/// Whether a create makes something.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "the large variant is the usual one, and is used up at once")]
pub enum CreateDecision {
    /// A new node, to be made by this plan.
    New(Decision),
    /// The regular file that is there.
    Existing {
        /// The file.
        node: Arc<Node>,
        /// The name that it has: where names are taken in any case, it may differ in case from the one asked for.
        name: Name,
        /// The size that the caller must still set, by [`super::set_attributes`].
        resize: Option<u64>,
    },
}

/// Returns the query for the state that [`decide`] needs.
pub fn query(request: &CreateRequest) -> Query {
    Query::child(request.directory, key(request))
}

/// Makes a node with a name, or finds the one that a create may take instead.
///
/// # Errors
/// `Stale`, `NotDirectory` and `Access` of the directory; `Exists`; `NotPermitted` for devices; `Invalid` for a
/// device's numbers and for an owner that is none; `Invalid` and `NameTooLong` for a symlink's target; `TooLarge` for a
/// file's size; `TooManyLinks` of the directory.
pub fn decide(view: &View, request: &CreateRequest, context: &Context<'_>, fresh: Fresh) -> FsResult<CreateDecision> {
    decide_with(view, request, &DosAttributes::default(), context, fresh)
}

/// The same, with attributes that POSIX does not have.
///
/// # Errors
/// As [`decide`].
pub fn decide_with(
    view: &View,
    request: &CreateRequest,
    dos: &DosAttributes,
    context: &Context<'_>,
    fresh: Fresh,
) -> FsResult<CreateDecision> {
    check_request(request)?;
    let directory = searched(view, request.directory, context.credentials)?;
    if let Some((name, found)) = view.meant(0, &request.name) {
        return existing(name, found, request);
    }
    let kind = request.kind.node_kind();
    may_add(directory, kind, context.credentials)?;
    check_kind(directory, request, context.credentials)?;

    let mut plan = Plan::at(context.now);
    plan.require(view.absence(0, key(request)));
    plan.require(Expectation::Linked(directory.id));
    expect_permission(&mut plan, directory);

    let node = Node {
        dos_attributes: dos.attributes,
        birth: initial_time(dos.birth, context.now),
        xattr_bytes: dos.xattrs.as_ref().map_or(0, |xattrs| xattrs.bytes()),
        flags: if dos.xattrs.is_some() { NodeFlags::XATTRS } else { NodeFlags::empty() },
        ..new_node(directory, request, &dos.access, context, fresh)
    };
    let pages = fresh.scale.pages_of(node.size);
    let holes = MapRow::Holes { version: node.content_version, pages };
    let comes = quota::node_comes(&node);
    plan.change(Change::InsertNode(Box::new(node)));
    if let Some(xattrs) = &dos.xattrs {
        plan.change(Change::PutXattrs { node: fresh.node, xattrs: Some(Arc::clone(xattrs)) });
    }
    if kind == NodeKind::File && pages > 0 {
        plan.change(Change::PutRow { node: fresh.node, page: 0, row: holes });
    }
    if let Some(holder) = fresh.holder.filter(|_| kind == NodeKind::File) {
        plan.change(Change::GrantLease { node: fresh.node, holder });
    }
    plan.change(Change::InsertEntry { key: key(request), node: fresh.node, cookie: fresh.cookie });
    let links = if kind == NodeKind::Directory { LinkChange::Add(1) } else { LinkChange::Keep };
    plan.change(Change::UpdateNode(directory.id, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
    plan.change(comes);
    Ok(CreateDecision::New(Decision { plan, node: fresh.node }))
}

fn key(request: &CreateRequest) -> EntryKey {
    EntryKey::child(request.directory, &request.name)
}

/// Refuses nodes that can't be made in any directory.
fn check_request(request: &CreateRequest) -> FsResult<()> {
    check_owner(request.attributes.uid, request.attributes.gid)?;
    match &request.kind {
        NewKind::BlockDevice(device) | NewKind::CharDevice(device) if !device.is_valid() => Err(FsError::Invalid),
        NewKind::Symlink(target) if target.len() > TARGET_BYTES_MAX => Err(FsError::NameTooLong),
        NewKind::Symlink(target) if target.is_empty() || target.contains(&0) => Err(FsError::Invalid),
        _ => Ok(()),
    }
}

fn existing(name: &Name, found: &Found, request: &CreateRequest) -> FsResult<CreateDecision> {
    let (name, node) = (name.clone(), found.node.clone());
    if request.kind != NewKind::File || node.kind != NodeKind::File {
        return Err(FsError::Exists);
    }
    match request.how {
        CreateHow::Unchecked => Ok(CreateDecision::Existing { node, name, resize: request.attributes.size }),
        CreateHow::Exclusive(verifier) if node.create_verifier == Some(verifier) => {
            Ok(CreateDecision::Existing { node, name, resize: None })
        }
        CreateHow::Guarded | CreateHow::Exclusive(_) => Err(FsError::Exists),
    }
}

fn check_kind(directory: &Node, request: &CreateRequest, credentials: &Credentials) -> FsResult<()> {
    match request.kind {
        NewKind::BlockDevice(_) | NewKind::CharDevice(_) if !credentials.is_privileged() => Err(FsError::NotPermitted),
        NewKind::Directory if directory.links >= LINKS_MAX => Err(FsError::TooManyLinks),
        NewKind::File if request.attributes.size.unwrap_or(0) > FILE_BYTES_MAX => Err(FsError::TooLarge),
        _ => Ok(()),
    }
}

fn new_node(
    directory: &Node,
    request: &CreateRequest,
    access: &InitialAccess,
    context: &Context<'_>,
    fresh: Fresh,
) -> Node {
    let attributes = &request.attributes;
    let kind = request.kind.node_kind();
    let (uid, gid) = owner(directory, attributes, context.credentials);
    let bits = permission_bits(directory, kind, attributes, gid, context.credentials);
    let acl = initial_list(directory, (kind, uid, gid), attributes.mode.map(|_| bits), access);
    let (size, target) = match &request.kind {
        NewKind::Symlink(target) => (target.len() as u64, Some(target.clone())),
        NewKind::File => (attributes.size.unwrap_or(0), None),
        _ => (0, None),
    };
    let device = match request.kind {
        NewKind::BlockDevice(device) | NewKind::CharDevice(device) => device,
        _ => Device::default(),
    };
    let create_verifier = match request.how {
        CreateHow::Exclusive(verifier) => Some(verifier),
        CreateHow::Unchecked | CreateHow::Guarded => None,
    };
    Node {
        id: fresh.node,
        kind,
        mode: acl.as_ref().map_or(bits, |acl| bits & !mode::PERMISSIONS | acl.permission_bits((uid, gid))),
        uid,
        gid,
        links: if kind == NodeKind::Directory { 2 } else { 1 },
        size,
        allocated: 0,
        atime: initial_time(attributes.atime, context.now),
        mtime: initial_time(attributes.mtime, context.now),
        ctime: context.now,
        birth: context.now,
        change: ChangeId(1),
        permission_version: 0,
        content_version: ContentVersion(0),
        content_seq: Sequence(0),
        times_seq: Sequence(0),
        since: Tree::FIRST,
        parent: Parent { directory: directory.id, cookie: fresh.cookie },
        device,
        dos_attributes: 0,
        acl: acl.map(Arc::new),
        create_verifier,
        target,
        flags: NodeFlags::empty(),
        xattr_bytes: 0,
        pending_truncation: None,
        replay_exclusions: ReplayExclusions::default(),
    }
}

/// Owner and group. As with knfsd, an owner that the caller may not give is not an error but is not given: some
/// clients always send one.
fn owner(directory: &Node, attributes: &InitialAttributes, credentials: &Credentials) -> (u32, u32) {
    let privileged = credentials.is_privileged();
    let inherited = if directory.mode & mode::SGID != 0 { directory.gid } else { credentials.gid };
    let uid = attributes.uid.filter(|_| privileged).unwrap_or(credentials.uid);
    let gid = attributes.gid.filter(|gid| privileged || credentials.in_group(*gid)).unwrap_or(inherited);
    (uid, gid)
}

fn permission_bits(
    directory: &Node,
    kind: NodeKind,
    attributes: &InitialAttributes,
    gid: u32,
    credentials: &Credentials,
) -> u16 {
    let asked = attributes.mode.unwrap_or(0) & mode::ALL;
    match kind {
        NodeKind::Symlink => 0o777,
        NodeKind::Directory => asked & !(mode::SUID | mode::SGID) | directory.mode & mode::SGID,
        _ if credentials.is_privileged() || credentials.in_group(gid) => asked,
        _ => asked & !mode::SGID,
    }
}

/// The access control list of a new node.
fn initial_list(
    directory: &Node,
    (kind, uid, gid): (NodeKind, u32, u32),
    bits: Option<u16>,
    access: &InitialAccess,
) -> Option<Acl> {
    if kind == NodeKind::Symlink {
        return None;
    }
    let inherited = || directory.acl.as_ref()?.inherited(kind, (uid, gid));
    match access {
        InitialAccess::List(acl) => Some(Acl::clone(acl)),
        InitialAccess::Inherited => inherited(),
        InitialAccess::Mode => match bits {
            Some(bits) => inherited()?.with_mode(bits, (uid, gid), kind == NodeKind::Directory),
            // The creator has said nothing yet of who may do what: nobody may do anything until it does.
            None => inherited().map(Acl::before_mode),
        },
    }
}

fn initial_time(asked: SetTime, now: Timestamp) -> Timestamp {
    match asked {
        SetTime::Keep | SetTime::Now => now,
        SetTime::To(time) => time,
    }
}
