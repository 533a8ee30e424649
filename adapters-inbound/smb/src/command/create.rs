//! CREATE: opens what a path leads to, or makes it (MS-SMB2, 3.3.5.9; MS-FSA, 2.1.5.1).

mod caching;
mod durability;
mod opening;
mod reconnect;
mod replay;
mod rights;
mod security;
mod wanted;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    Attributes, Name, NodeId, NodeKind, ShareId,
    access::{AccessMask, NodeSecurity, granted},
    error::FsError,
    namespace::{CreateHow, DosAttributes, NewKind, SetAttributes, SetTime},
    opens::Locking,
};
use dittofs_ports::{
    Caller, Entered, LookupName, NameKind, NewNode, NodeRef, OpenNameRequest, OpenRequest, OpenedName, ShareServices,
};
use dittofs_smb_wire::{
    NtStatus, Response,
    access::AccessMask as WireAccess,
    attributes::FileAttributes,
    create::{
        CreateAction, CreateContexts, CreateRequest, CreateResponse, CreateResponseFlags, OplockLevel, ResponseContext,
    },
    identifiers::{FileId, Guid},
};
use parking_lot::Mutex;

use super::{pipe, tree::CHANGES};
use crate::{
    below::Below,
    calls::{Call, Done},
    closing::{close_node, close_open, report},
    facts::{self, KEPT},
    failure::Failure,
    holdings::{Held, OPEN_KIB},
    listing::Listing,
    names::shown,
    open::{ChannelSequence, InUse, LockRoom, LockSequences, Open, OpenKind, OpenNode, Place, Watching},
    path::{Path, PathPart, with_stream},
    replays::Begun,
    tree::{Files, TreeKind},
};
use caching::Asked;
pub(crate) use durability::keeps_handles;
use reconnect::Return;
use rights::{demand_overwritable, demanded, maximal};
use security::Security;
use wanted::{Disposition, Wanted};

/// Permission bits of what is made: clients don't say any.
const FILE_MODE: u16 = 0o644;
const DIRECTORY_MODE: u16 = 0o755;

pub(super) async fn create(call: &Call, request: &CreateRequest) -> Result<Done, Failure> {
    let tree = call.tree()?;
    let TreeKind::Files(files) = &tree.kind else { return pipe::create(call, request) };
    if call.session.is_anonymous.load(Ordering::Acquire) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let mut entered = files.enter(&*call.link.server.services.entry)?;
    if let Some(back) = Return::read(request)? {
        return reconnect::reconnect(call, &entered, &back).await;
    }
    let wanted = Wanted::read(request)?;
    if !call.session.has_room_for_open() {
        return Err(NtStatus::TOO_MANY_OPENED_FILES.into());
    }
    let held = call.session.hold(OPEN_KIB)?;
    let replay = match replay::begin(call, &wanted)? {
        None => None,
        Some(Begun::New(pending)) => Some(pending),
        Some(Begun::Again(open, action)) => return replay::answer(call, &entered, &wanted, (open, action)).await,
    };
    let target = Target::find(call, &entered, &wanted.path).await?;
    let share = &*entered.share;
    let access = target.access(share, (&entered.caller, files.read_only), &wanted).await?;
    if files.read_only && (access.intersects(CHANGES) || target.found.is_none() || wanted.disposition.replaces()) {
        return Err(refused_change(&target, &wanted).into());
    }
    if let Some(found) = target.found.as_ref().or(target.file.as_ref()) {
        demand_overwritable(&wanted, found, access)?;
    } else if wanted.deletes_on_close && wanted.attributes.contains(FileAttributes::READONLY) {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    if wanted.deletes_on_close && !access.contains(AccessMask::DELETE) {
        return Err(NtStatus::ACCESS_DENIED.into());
    }
    let security = match Security::of(call, &wanted).await {
        Ok(security) => Some(security),
        Err(status) if target.found.is_none() && wanted.disposition.makes() => return Err(status.into()),
        // It matters for what is made, and that is nothing: what is there is opened.
        Err(_) => None,
    };
    let asked = open_request(&target, &wanted, (access, security), &entered.caller);
    let capabilities = caching::capabilities(call.link.terms().as_deref());
    entered.caller.parent_lease = caching::parent_key((wanted.oplock, wanted.lease.as_ref()), capabilities);
    let cache = Asked::read((wanted.oplock, wanted.lease.as_ref()), capabilities, target.is_directory(&wanted));
    let found = target.found.as_ref().map(|found| NodeRef { node: found.node, ..entered.node });
    caching::demand_own(call, &wanted, found)?;
    let _opening = call.link.server.caching.opening();
    let asked = OpenNameRequest { open: OpenRequest { cache: cache.request(), ..asked.open }, ..asked };
    let opened = opening::open(call, &entered, &asked).await?;
    let directory = target.directory;
    let open = add(call, held, &entered, (target, &wanted), (&opened, access)).await?;
    let node = NodeRef { node: opened.opened.attributes.node, ..entered.node };
    let given = match cache.note(call, node, &open, opened.opened.lease) {
        Ok(given) => given,
        Err(status) => {
            call.session.remove_open(open.id);
            close_open(&call.link.server, &open).await?;
            return Err(status.into());
        }
    };
    let mut contexts = contexts(&wanted, files, &entered, (&opened, directory)).await;
    contexts.extend(given.context);
    contexts.extend(open.node()?.durable.as_ref().map(durability::context));
    let body = response(&wanted, &opened, (open.id, given.level), contexts);
    if let Some(pending) = replay {
        pending.complete(&open, call.session.id, body.create_action);
    }
    Ok(Done { status: NtStatus::SUCCESS, body: Response::Create(body), file: Some(open.id) })
}

/// Why nothing is changed where the user may only read.
fn refused_change(target: &Target, wanted: &Wanted) -> NtStatus {
    let only_finds = matches!(wanted.disposition, Disposition::Open | Disposition::Overwrite);
    if target.found.is_none() && only_finds { NtStatus::OBJECT_NAME_NOT_FOUND } else { NtStatus::ACCESS_DENIED }
}

/// What a path leads to.
struct Target {
    directory: NodeId,
    name: LookupName,
    /// The directories on the way.
    way: Vec<NodeId>,
    /// Where it stands, but for its entry.
    place: Place,
    /// The node, if there is one.
    found: Option<Attributes>,
    /// The file that a stream is of, if there is one.
    file: Option<Attributes>,
}

impl Target {
    async fn find(call: &Call, entered: &Entered, path: &Path) -> Result<Target, NtStatus> {
        let holding = &call.session.holding;
        let (caller, root) = (&entered.caller, entered.node.node);
        let Some((directories, name)) = path.split() else {
            let found = entered.share.attributes(caller, root).await.map_err(crate::failure::status)?;
            let place = Place::new(holding, None, String::new(), Below::default())?;
            let (name, found, way) = (LookupName::This, Some(found), Vec::new());
            let target = Target { directory: root, name, way, place, found, file: None };
            return target.of_part(entered, &path.part).await;
        };
        let (way, above) = resolve(entered, caller, directories).await?;
        let directory = way.last().copied().unwrap_or(root);
        // Before it is open, so that no rename that has seen nothing below comes in between.
        let below = call.link.server.opens_below.add(entered.node.share, way.clone());
        let lookup = LookupName::Child(name.clone());
        let (mut real, found) = (name.clone(), entered.share.lookup(caller, directory, &lookup).await);
        let found = match found {
            Ok(found) => {
                real = found.name.unwrap_or(real);
                Some(found.node)
            }
            Err(FsError::NotFound) => None,
            Err(FsError::NotDirectory | FsError::Stale) => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
            Err(error) => return Err(crate::failure::status(error)),
        };
        let names: Vec<String> = above.iter().chain([&real]).map(shown).collect();
        let place = Place::new(holding, None, names.join("\\"), below)?;
        Target { directory, name: lookup, way, place, found, file: None }.of_part(entered, &path.part).await
    }

    /// The same, or the stream of it.
    async fn of_part(self, entered: &Entered, part: &PathPart) -> Result<Target, NtStatus> {
        let PathPart::Stream(name) = part else { return Ok(self) };
        let file = self.found;
        let found = match &file {
            None => None,
            Some(file) => match entered.share.lookup_stream(&entered.caller, file.node, name).await {
                Ok(found) => Some(found),
                Err(FsError::NotFound | FsError::Stale) => None,
                Err(error) => return Err(crate::failure::status(error)),
            },
        };
        Ok(Target { found, file, ..self })
    }

    /// Whether a directory is opened or made.
    fn is_directory(&self, wanted: &Wanted) -> bool {
        match &self.found {
            Some(found) => found.kind == NodeKind::Directory,
            None => wanted.kind == NameKind::Directory,
        }
    }

    /// The rights that the open shall have.
    async fn access(
        &self,
        share: &dyn ShareServices,
        (caller, read_only): (&Caller, bool),
        wanted: &Wanted,
    ) -> Result<AccessMask, Failure> {
        if !wanted.is_maximum {
            return Ok(wanted.access);
        }
        match self.found.as_ref().or(self.file.as_ref()) {
            None => Ok(AccessMask::all()),
            // Only what can be had of a share that is only read.
            Some(found) if read_only => {
                Ok(wanted.access | (maximal(share, caller, self.directory, found).await? - CHANGES))
            }
            Some(found) => Ok(wanted.access | maximal(share, caller, self.directory, found).await?),
        }
    }
}

/// The directories of a path, from the one below the share's root on, with the names that they really have; the last
/// one is where it leads.
///
/// # Errors
/// `OBJECT_PATH_NOT_FOUND` if there is none; `ACCESS_DENIED`.
pub(super) async fn resolve(
    entered: &Entered,
    caller: &Caller,
    directories: &[Name],
) -> Result<(Vec<NodeId>, Vec<Name>), NtStatus> {
    let mut directory = entered.node.node;
    let (mut way, mut names) = (Vec::with_capacity(directories.len()), Vec::with_capacity(directories.len()));
    for name in directories {
        directory = match entered.share.lookup(caller, directory, &LookupName::Child(name.clone())).await {
            Ok(found) if found.node.kind == NodeKind::Directory => {
                names.push(found.name.unwrap_or_else(|| name.clone()));
                found.node.node
            }
            Ok(_) | Err(FsError::NotFound | FsError::NotDirectory | FsError::Stale) => {
                return Err(NtStatus::OBJECT_PATH_NOT_FOUND);
            }
            Err(error) => return Err(crate::failure::status(error)),
        };
        way.push(directory);
    }
    Ok((way, names))
}

fn open_request(
    target: &Target,
    wanted: &Wanted,
    (access, security): (AccessMask, Option<Security>),
    caller: &Caller,
) -> OpenNameRequest {
    let is_directory = target.is_directory(wanted);
    let truncate = wanted.disposition.replaces();
    let attributes = wanted.attributes & (KEPT - FileAttributes::SPARSE_FILE);
    let attributes = if is_directory { attributes } else { attributes | FileAttributes::ARCHIVE };
    let stream = match &wanted.path.part {
        PathPart::Stream(name) => Some(name.clone()),
        PathPart::Whole | PathPart::Content | PathPart::Index => None,
    };
    let may = |found: &Attributes| granted(&NodeSecurity::from(found), &caller.credentials);
    let may_set = target.found.as_ref().is_some_and(|found| may(found).contains(AccessMask::WRITE_ATTRIBUTES));
    let (kind, mode) = match wanted.kind {
        NameKind::Directory => (NewKind::Directory, DIRECTORY_MODE),
        NameKind::Any | NameKind::NotDirectory => (NewKind::File, FILE_MODE),
    };
    let how = match wanted.disposition {
        Disposition::Create => Some(CreateHow::Guarded),
        Disposition::OpenIf | Disposition::OverwriteIf | Disposition::Supersede => Some(CreateHow::Unchecked),
        Disposition::Open | Disposition::Overwrite => None,
    };
    OpenNameRequest {
        directory: target.directory,
        name: target.name.clone(),
        stream,
        kind: wanted.kind,
        make: how.zip(security).map(|(how, security)| NewNode {
            kind,
            attributes: security.attributes(mode),
            dos: DosAttributes {
                attributes: attributes.bits(),
                birth: SetTime::Keep,
                xattrs: wanted.initial_xattrs.clone(),
                access: security.access,
            },
            how,
        }),
        replace: truncate
            .then(|| SetAttributes { dos_attributes: may_set.then_some(attributes.bits()), ..SetAttributes::size(0) }),
        replace_xattrs: wanted.xattrs.clone(),
        open: OpenRequest {
            rights: demanded(access, target.found.as_ref().or(target.file.as_ref()), is_directory),
            deny: wanted.deny,
            locking: Locking::Mandatory,
            truncate,
            created: false,
            cache: None,
            waits: true,
        },
    }
}

/// Adds the open to the session; where there is no room any more, it is closed again.
async fn add(
    call: &Call,
    held: Held,
    entered: &Entered,
    (target, wanted): (Target, &Wanted),
    (opened, access): (&OpenedName, AccessMask),
) -> Result<Arc<Open>, Failure> {
    let tree = Arc::clone(call.tree()?);
    let attributes = &opened.opened.attributes;
    let caller = Caller { opener: Some(opened.opened.token), ..entered.caller.clone() };
    let server = &call.link.server;
    let mut place = target.place;
    place.entry = opened.name.clone().map(|name| (target.directory, name));
    if let Some(stream) = &opened.stream {
        place.entry = Some((attributes.file, stream.clone()));
        place.path = with_stream(&place.path, stream);
        // The file itself is above its streams: it is not renamed while one is open.
        let way = target.way.into_iter().chain([attributes.file]).collect();
        place.stand_below(server.opens_below.add(entered.node.share, way));
    }
    let is_directory = attributes.kind == NodeKind::Directory;
    let durable = wanted.durability.granted(opened.opened.lease.as_ref(), is_directory);
    // A client without a GUID can't be known again.
    let durable = durable.filter(|_| call.session.client.guid != Guid::default());
    let node = OpenNode {
        node: attributes.node,
        file: attributes.file,
        token: opened.opened.token,
        access,
        is_directory,
        is_write_through: wanted.is_write_through,
        mode: wanted.mode,
        cache: opened.opened.lease.map(|(key, _)| key),
        durable,
        keeps: durable.map(|_| server.clients.enter(call.session.client.guid)),
        caller,
        place: Mutex::new(place),
        position: AtomicU64::new(0),
        scanned: AtomicU64::new(0),
        delete_on_close: AtomicBool::new(wanted.deletes_on_close),
        listing: tokio::sync::Mutex::new(Listing::default()),
        watching: Watching::default(),
        in_use: InUse::default(),
        made_by: Mutex::new(wanted.durability.create_guid().map(|guid| (call.session.client.guid, guid))),
        channel_sequence: ChannelSequence::default(),
        lock_sequences: LockSequences::default(),
        lock_room: LockRoom::new(Arc::clone(&call.session.holding)),
    };
    let (node, persistent) = (Arc::new(node), server.new_open_id());
    let kind = OpenKind::Node(Arc::clone(&node));
    let added = call.session.add_open(|id| Open { id: FileId { persistent, volatile: id }, tree, kind, _held: held });
    match added {
        Ok(open) => Ok(open),
        Err(status) => {
            // Nobody has heard of it.
            if let TreeKind::Files(files) = &call.tree()?.kind {
                report(close_node(server, (files, Ok(entered)), &node).await);
            }
            Err(status.into())
        }
    }
}

async fn contexts(
    wanted: &Wanted,
    files: &Files,
    entered: &Entered,
    (opened, directory): (&OpenedName, NodeId),
) -> Vec<ResponseContext> {
    let attributes = &opened.opened.attributes;
    let mut contexts = Vec::new();
    if wanted.asks_maximal_access {
        let rights = match opened.is_new && opened.stream.is_none() && attributes.acl.is_none() {
            true => Ok(AccessMask::all()),
            false => maximal(&*entered.share, &entered.caller, directory, attributes).await,
        };
        contexts.push(match rights {
            Ok(rights) => ResponseContext::MaximalAccess {
                query_status: NtStatus::SUCCESS,
                maximal_access: WireAccess::from_bits_retain(rights.bits()),
            },
            Err(failure) => {
                ResponseContext::MaximalAccess { query_status: failure.status, maximal_access: WireAccess::empty() }
            }
        });
    }
    if wanted.asks_on_disk_id {
        let ShareId(volume_id) = files.root.share;
        contexts.push(ResponseContext::OnDiskId { disk_file_id: attributes.file.0, volume_id });
    }
    contexts
}

fn response(
    wanted: &Wanted,
    opened: &OpenedName,
    open: (FileId, OplockLevel),
    contexts: Vec<ResponseContext>,
) -> CreateResponse {
    let create_action = match wanted.disposition {
        _ if opened.is_new => CreateAction::CREATED,
        Disposition::Supersede => CreateAction::SUPERSEDED,
        disposition if disposition.replaces() => CreateAction::OVERWRITTEN,
        _ => CreateAction::OPENED,
    };
    response_of(&opened.opened.attributes, create_action, open, contexts)
}

fn response_of(
    attributes: &Attributes,
    create_action: CreateAction,
    (file_id, oplock_level): (FileId, OplockLevel),
    contexts: Vec<ResponseContext>,
) -> CreateResponse {
    let found = facts::metadata(attributes);
    CreateResponse {
        oplock_level,
        flags: CreateResponseFlags::empty(),
        create_action,
        creation_time: found.times.creation,
        last_access_time: found.times.last_access,
        last_write_time: found.times.last_write,
        change_time: found.times.change,
        allocation_size: found.allocation_size,
        end_of_file: found.end_of_file,
        file_attributes: found.attributes,
        file_id,
        contexts: contexts.iter().map(ResponseContext::encode).collect::<CreateContexts>(),
    }
}
