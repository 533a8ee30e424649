//! Other names for a file (MS-FSA, FileRenameInformation and FileLinkInformation).

use dittofs_domain::{
    Attributes, Name, NodeId, NodeKind,
    access::AccessMask,
    error::FsError,
    namespace::{LinkRequest, RemoveKind, RemoveRequest, RenameRequest},
    opens::{Locking, ShareAccess},
};
use dittofs_ports::{Entered, LookupName, OpenRequest};
use dittofs_smb_wire::{
    NtStatus,
    attributes::FileAttributes,
    info::set::{Link, Rename, RenameFlags},
};

use crate::{
    command::create::resolve,
    facts::attributes,
    failure::{Failure, status},
    open::{OpenNode, Place},
    path::{Path, shown},
};

pub(super) async fn rename(node: &OpenNode, entered: &Entered, wanted: &Rename) -> Result<(), Failure> {
    node.demand_any(AccessMask::DELETE)?;
    let from = node.place.lock().entry.clone().ok_or(NtStatus::ACCESS_DENIED)?;
    let to = Destination::find(node, entered, (wanted.root_directory, &wanted.name)).await?;
    demand_own(node, entered, &from).await?;
    if from == (to.directory, to.name.clone()) {
        return Ok(());
    }
    if to.found.is_some() && !wanted.flags.contains(RenameFlags::REPLACE_IF_EXISTS) {
        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
    }
    match &to.found {
        Some(found) if found.node == node.node => remove_name(node, entered, &from).await?,
        Some(found) => {
            demand_replaceable(node, found, wanted.flags)?;
            if !wanted.flags.contains(RenameFlags::POSIX_SEMANTICS) {
                demand_unused(entered, found.node).await?;
            }
            move_name(node, entered, from, &to).await?;
        }
        None => move_name(node, entered, from, &to).await?,
    }
    *node.place.lock() = Place { entry: Some((to.directory, to.name)), path: to.path };
    Ok(())
}

pub(super) async fn link(node: &OpenNode, entered: &Entered, wanted: &Link) -> Result<(), Failure> {
    if node.is_directory {
        return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
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
    /// The node that has the name.
    found: Option<Attributes>,
}

impl Destination {
    async fn find(node: &OpenNode, entered: &Entered, (root, path): (u64, &str)) -> Result<Destination, Failure> {
        if root != 0 {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let path = Path::parse(path)?;
        let (directories, name) = path.split().ok_or(NtStatus::OBJECT_NAME_INVALID)?;
        let directory = resolve(entered, &node.caller, directories).await?;
        let found = match entered.share.lookup(&node.caller, directory, &LookupName::Child(name.clone())).await {
            Ok(found) => Some(found.node),
            Err(FsError::NotFound) => None,
            Err(FsError::Stale) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND.into()),
            Err(error) => return Err(error.into()),
        };
        let names: Vec<String> = directories.iter().chain([name]).map(shown).collect();
        Ok(Destination { directory, name: name.clone(), path: names.join("\\"), found })
    }
}

/// Refuses a name that leads elsewhere by now: another open or another client has renamed the file.
async fn demand_own(node: &OpenNode, entered: &Entered, (directory, name): &(NodeId, Name)) -> Result<(), Failure> {
    match entered.share.lookup(&node.caller, *directory, &LookupName::Child(name.clone())).await {
        Ok(found) if found.node.node == node.node => Ok(()),
        Ok(_) | Err(FsError::NotFound | FsError::Stale) => Err(NtStatus::OBJECT_NAME_NOT_FOUND.into()),
        Err(error) => Err(error.into()),
    }
}

/// Refuses to replace what must not be: directories, and files that are read-only.
fn demand_replaceable(node: &OpenNode, found: &Attributes, flags: RenameFlags) -> Result<(), NtStatus> {
    let is_protected =
        attributes(found).contains(FileAttributes::READONLY) && !flags.contains(RenameFlags::IGNORE_READONLY_ATTRIBUTE);
    if node.is_directory || found.kind == NodeKind::Directory || is_protected {
        return Err(NtStatus::ACCESS_DENIED);
    }
    Ok(())
}

/// Refuses to replace a file that is open. The services would allow it where those who have it open allow that it is
/// deleted; clients of this protocol expect otherwise. Who opens the file right afterwards keeps it.
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
async fn move_name(
    node: &OpenNode,
    entered: &Entered,
    (from_directory, from_name): (NodeId, Name),
    to: &Destination,
) -> Result<(), Failure> {
    let share = &*entered.share;
    let right = if node.is_directory { AccessMask::ADD_SUBDIRECTORY } else { AccessMask::ADD_FILE };
    let held = share.open(&entered.caller, to.directory, &open_request(right, ShareAccess::DELETE)).await?;
    let request = RenameRequest { from_directory, from_name, to_directory: to.directory, to_name: to.name.clone() };
    let renamed = share.rename(&node.caller, &request, None).await;
    if let Err(error) = share.close(&entered.caller, to.directory, held.token).await {
        tracing::debug!(directory = %to.directory, %error, "a directory that something was renamed to stays open");
    }
    match renamed {
        Ok(_) => Ok(()),
        Err(FsError::ShareDenied) => Err(NtStatus::ACCESS_DENIED.into()),
        Err(FsError::Stale) => Err(NtStatus::OBJECT_PATH_NOT_FOUND.into()),
        Err(error) => Err(error.into()),
    }
}

/// Of two names of one file the former goes. A rename as POSIX has it would leave both.
async fn remove_name(node: &OpenNode, entered: &Entered, (directory, name): &(NodeId, Name)) -> Result<(), NtStatus> {
    let request = RemoveRequest { directory: *directory, name: name.clone(), kind: RemoveKind::NotDirectory };
    entered.share.remove(&node.caller, &request, None).await.map_err(status)?;
    Ok(())
}

fn open_request(rights: AccessMask, deny: ShareAccess) -> OpenRequest {
    OpenRequest { rights, deny, locking: Locking::Mandatory, truncate: false, created: false, cache: None, waits: true }
}
