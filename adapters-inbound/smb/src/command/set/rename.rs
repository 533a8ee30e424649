//! Other names for a file (MS-FSA, FileRenameInformation and FileLinkInformation).

use dittofs_domain::{
    Attributes, Name, NodeId, NodeKind,
    access::AccessMask,
    error::FsError,
    namespace::{LinkRequest, RenameRequest, Replace, StreamRename},
    opens::{Locking, ShareAccess},
};
use dittofs_ports::{Entered, LookupName, OpenRequest};
use dittofs_smb_wire::{
    NtStatus,
    attributes::FileAttributes,
    info::set::{Link, Rename, RenameFlags},
};

use crate::{
    calls::Call,
    command::create::resolve,
    facts::attributes,
    failure::Failure,
    names::shown,
    open::{OpenNode, Place},
    path::{Path, PathPart, with_stream},
};

pub(super) async fn rename(call: &Call, node: &OpenNode, entered: &Entered, wanted: &Rename) -> Result<(), Failure> {
    node.demand_any(AccessMask::DELETE)?;
    let from = node.place.lock().entry.clone().ok_or(NtStatus::ACCESS_DENIED)?;
    if node.is_stream() {
        return rename_stream(node, entered, (from, wanted)).await;
    }
    let to = Destination::find(node, entered, (wanted.root_directory, &wanted.name)).await?;
    let replace = match &to.found {
        Some(found) if wanted.flags.contains(RenameFlags::REPLACE_IF_EXISTS) => {
            demand_replaceable(call, node, entered, (found, wanted.flags)).await?;
            Replace::Only(found.node)
        }
        // Whether the file itself has the name, in another case or as another name, the rule knows.
        _ => Replace::Nothing,
    };
    if !wanted.flags.contains(RenameFlags::POSIX_SEMANTICS) {
        demand_none_open_below(call, node.node, entered).await?;
    }
    let below = call.link.server.opens_below.add(entered.node.share, to.way);
    let entry = (to.directory, to.name);
    let place = Place::new(&call.session.holding, Some(entry.clone()), to.path, below)?;
    let request =
        RenameRequest { node: Some(node.node), replace, held: node.access, ..RenameRequest::new(from, entry) };
    move_name(node, entered, &request).await?;
    *node.place.lock() = place;
    Ok(())
}

/// Renames a stream, within its file only.
async fn rename_stream(
    node: &OpenNode,
    entered: &Entered,
    ((file, from), wanted): ((NodeId, Name), &Rename),
) -> Result<(), Failure> {
    if wanted.root_directory != 0 {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let path = Path::parse(&wanted.name)?;
    let (None, PathPart::Stream(to)) = (path.split(), &path.part) else {
        return Err(NtStatus::OBJECT_NAME_INVALID.into());
    };
    let replace = wanted.flags.contains(RenameFlags::REPLACE_IF_EXISTS);
    let (to_name, held) = (to.clone(), node.access);
    let request = StreamRename { file, from, to: to_name, stream: node.node, held, replace };
    entered.share.rename_stream(&node.caller, &request).await?;
    let mut place = node.place.lock();
    place.path = match place.path.rsplit_once(':') {
        Some((of_file, _)) => with_stream(of_file, to),
        None => with_stream(&place.path, to),
    };
    place.entry = Some((file, to.clone()));
    Ok(())
}

pub(super) async fn link(node: &OpenNode, entered: &Entered, wanted: &Link) -> Result<(), Failure> {
    if node.is_directory {
        return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
    }
    if node.is_stream() {
        return Err(NtStatus::OBJECT_NAME_INVALID.into());
    }
    // A link that replaces another file could not be made in one step, so that a name may be taken is of no use.
    let to = Destination::find(node, entered, (wanted.root_directory, &wanted.name)).await?;
    let request = LinkRequest { node: node.node, directory: to.directory, name: to.name };
    entered.share.link(&node.caller, &request, None).await?;
    Ok(())
}

/// Where a name goes.
struct Destination {
    directory: NodeId,
    name: Name,
    path: String,
    /// The directories of the path.
    way: Vec<NodeId>,
    /// The node that has the name.
    found: Option<Attributes>,
}

impl Destination {
    async fn find(node: &OpenNode, entered: &Entered, (root, path): (u64, &str)) -> Result<Destination, Failure> {
        if root != 0 {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let path = Path::parse(path)?;
        // The content of a file is not made a stream, nor the other way round.
        if path.part != PathPart::Whole {
            return Err(NtStatus::OBJECT_NAME_INVALID.into());
        }
        let (directories, name) = path.split().ok_or(NtStatus::OBJECT_NAME_INVALID)?;
        let (way, above) = resolve(entered, &node.caller, directories).await?;
        let directory = way.last().copied().unwrap_or(entered.node.node);
        let found = match entered.share.lookup(&node.caller, directory, &LookupName::Child(name.clone())).await {
            Ok(found) => Some(found.node),
            Err(FsError::NotFound) => None,
            Err(FsError::Stale) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND.into()),
            Err(error) => return Err(error.into()),
        };
        let names: Vec<String> = above.iter().chain([name]).map(shown).collect();
        Ok(Destination { directory, name: name.clone(), path: names.join("\\"), way, found })
    }
}

/// Refuses to replace what must not be: directories, and files that are read-only or open. Names of the file itself may
/// go.
async fn demand_replaceable(
    call: &Call,
    node: &OpenNode,
    entered: &Entered,
    (found, flags): (&Attributes, RenameFlags),
) -> Result<(), Failure> {
    if found.node == node.node {
        return Ok(());
    }
    let is_protected =
        attributes(found).contains(FileAttributes::READONLY) && !flags.contains(RenameFlags::IGNORE_READONLY_ATTRIBUTE);
    if node.is_directory || found.kind == NodeKind::Directory || is_protected {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    if flags.contains(RenameFlags::POSIX_SEMANTICS) {
        return Ok(());
    }
    // Its streams go with it.
    demand_none_open_below(call, found.node, entered).await?;
    demand_unused(entered, found.node).await
}

/// Refuses to go on while something is open below a directory, or a stream of a file. Clients keep files open that nobody
/// uses any more, as long as they may: they are asked to give these up first.
async fn demand_none_open_below(call: &Call, node: NodeId, entered: &Entered) -> Result<(), Failure> {
    let (server, share) = (&call.link.server, entered.node.share);
    if !server.opens_below.are_below(share, node) {
        return Ok(());
    }
    for kept in server.caching.nodes_below(share, node) {
        // A file that the user may not remove keeps the directory where it is.
        demand_unused(entered, kept).await?;
    }
    if server.opens_below.are_below(share, node) { Err(NtStatus::ACCESS_DENIED.into()) } else { Ok(()) }
}

/// Refuses to go on while a file is open: one that is to be replaced, or is below a directory that is renamed. The
/// services would allow it where those who have it open allow that it is deleted; clients of this protocol expect
/// otherwise. Who opens the file right afterwards keeps it.
async fn demand_unused(entered: &Entered, node: NodeId) -> Result<(), Failure> {
    let alone = open_request(AccessMask::DELETE, ShareAccess::all());
    match entered.share.open(&entered.caller, node, &alone).await {
        Ok(opened) => Ok(entered.share.close(&entered.caller, node, opened.token).await?),
        Err(FsError::ShareDenied) => Err(NtStatus::ACCESS_DENIED.into()),
        // Nothing is left to replace.
        Err(FsError::Stale) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Renames while the directory that gets the name is open, as Windows does it: neither who may
/// delete that directory nor who lets nobody change it is bypassed.
async fn move_name(node: &OpenNode, entered: &Entered, request: &RenameRequest) -> Result<(), Failure> {
    let share = &*entered.share;
    let right = if node.is_directory { AccessMask::ADD_SUBDIRECTORY } else { AccessMask::ADD_FILE };
    let directory = request.to_directory;
    let held = share.open(&entered.caller, directory, &open_request(right, ShareAccess::DELETE)).await?;
    let renamed = share.rename(&node.caller, request, None).await;
    if let Err(error) = share.close(&entered.caller, directory, held.token).await {
        tracing::debug!(%directory, %error, "a directory that something was renamed to stays open");
    }
    match renamed {
        Ok(_) => Ok(()),
        Err(FsError::ShareDenied) => Err(NtStatus::ACCESS_DENIED.into()),
        Err(FsError::Stale) => Err(NtStatus::OBJECT_PATH_NOT_FOUND.into()),
        Err(error) => Err(error.into()),
    }
}

fn open_request(rights: AccessMask, deny: ShareAccess) -> OpenRequest {
    OpenRequest { rights, deny, locking: Locking::Mandatory, truncate: false, created: false, cache: None, waits: true }
}
