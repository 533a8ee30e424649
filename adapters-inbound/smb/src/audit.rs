//! Records who changed what: requests that changed something, those that a permission refused, and the files that go
//! with their last open.
//!
//! Where nobody asks for it, a request costs a check of a flag.

use std::{net::IpAddr, sync::Arc, time::Instant};

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::AccessMask,
    control::code,
    create::{CreateAction, CreateDisposition, CreateRequest},
    identifiers::FileId,
    info::{
        SetFile,
        set::{DispositionFlags, decode},
    },
    query_info::InfoType,
    set_info::SetInfoRequest,
};
use dittofs_transport::{AUDIT, RecordedWrites};
use tracing::Level;

use crate::{
    calls::Call,
    open::{OpenKind, OpenNode},
    tree::{Files, TreeKind},
};

/// Whoever opens a file with one of these wants to change it. Who asks for all that is allowed takes what there is.
const CHANGING: AccessMask = AccessMask::FILE_WRITE_DATA
    .union(AccessMask::FILE_APPEND_DATA)
    .union(AccessMask::FILE_WRITE_EA)
    .union(AccessMask::FILE_DELETE_CHILD)
    .union(AccessMask::FILE_WRITE_ATTRIBUTES)
    .union(AccessMask::DELETE)
    .union(AccessMask::WRITE_DAC)
    .union(AccessMask::WRITE_OWNER)
    .union(AccessMask::GENERIC_ALL)
    .union(AccessMask::GENERIC_WRITE);

/// Who writes to which file.
pub(crate) type Writes = RecordedWrites<(IpAddr, u32, u64)>;

/// A request that may be worth a line.
pub(crate) struct AuditLine(Option<Box<Change>>);

/// What a request is to change.
struct Change {
    action: Action,
    /// The file that it goes through.
    node: Option<u64>,
    /// The path.
    name: Option<String>,
    to_name: Option<String>,
}

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Create,
    Write,
    Copy,
    Zero,
    Attributes,
    Size,
    Rename,
    Link,
    Delete,
    Keep,
    Security,
}

impl Action {
    /// As the line has it.
    fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Write => "write",
            Action::Copy => "copy",
            Action::Zero => "zero",
            Action::Attributes => "attributes",
            Action::Size => "size",
            Action::Rename => "rename",
            Action::Link => "link",
            Action::Delete => "delete",
            Action::Keep => "keep",
            Action::Security => "security",
        }
    }

    /// Whether it comes thousands of times.
    fn is_frequent(self) -> bool {
        matches!(self, Action::Write | Action::Copy | Action::Zero)
    }
}

impl AuditLine {
    /// Begins with the call.
    pub(crate) fn begin(call: &Call, named: Option<FileId>, request: Option<&Request>) -> AuditLine {
        if !tracing::enabled!(target: AUDIT, Level::INFO) {
            return AuditLine(None);
        }
        let Some((action, name, to_name)) = request.and_then(change) else { return AuditLine(None) };
        let mut change = Change { action, node: None, name, to_name };
        if let Some(Ok(open)) = named.map(|id| call.open(id))
            && let OpenKind::Node(node) = &open.kind
        {
            change.node = Some(node.node.0);
            change.name = Some(node.place.lock().path.clone());
        }
        AuditLine(Some(Box::new(change)))
    }

    /// Ends with its answer.
    pub(crate) fn end(self, call: &Call, status: NtStatus, body: &Response) {
        let Some(change) = self.0 else { return };
        let Ok(TreeKind::Files(files)) = call.tree().map(|tree| &tree.kind) else { return };
        let user = call.session.user();
        let (client, uid) = (call.link.peer.ip().to_canonical(), user.credentials.uid);
        let Some((action, result)) = change.outcome(status, body) else { return };
        if change.action.is_frequent()
            && result == "OK"
            && let Some(node) = change.node
            && !call.link.server.recorded_writes.is_news((client, uid, node), Instant::now())
        {
            return;
        }
        tracing::info!(
            target: AUDIT,
            %client,
            user = user.name.as_str(),
            uid,
            gid = user.credentials.gid,
            procedure = ?call.header.command,
            action,
            share = %files.name,
            file = change.node,
            name = change.name,
            to_name = change.to_name,
            result,
        );
    }
}

impl Change {
    /// What was done, and the result; none of what changed nothing for another reason than a permission.
    fn outcome(&self, status: NtStatus, body: &Response) -> Option<(&'static str, &'static str)> {
        let action = self.action.name();
        match (status, body) {
            (NtStatus::SUCCESS, Response::Create(response)) => match response.create_action {
                CreateAction::OPENED => None,
                CreateAction::CREATED => Some((action, "OK")),
                _ => Some(("overwrite", "OK")),
            },
            (NtStatus::SUCCESS, _) => Some((action, "OK")),
            (NtStatus::ACCESS_DENIED, _) => Some((action, "ACCESS_DENIED")),
            (NtStatus::MEDIA_WRITE_PROTECTED, _) => Some((action, "MEDIA_WRITE_PROTECTED")),
            (NtStatus::PRIVILEGE_NOT_HELD, _) => Some((action, "PRIVILEGE_NOT_HELD")),
            _ => None,
        }
    }
}

/// A file goes, as the open that was to remove it is closed: by its client, or with its session.
pub(crate) fn record_removal(files: &Files, open: &OpenNode) {
    if !tracing::enabled!(target: AUDIT, Level::INFO) {
        return;
    }
    let who = Arc::clone(&files.who.read());
    let credentials = &open.caller.credentials;
    let name = open.place.lock().path.clone();
    tracing::info!(
        target: AUDIT,
        client = %who.address.to_canonical(),
        uid = credentials.uid,
        gid = credentials.gid,
        procedure = "CLOSE",
        action = Action::Delete.name(),
        share = %files.name,
        file = open.node.0,
        name,
        result = "OK",
    );
}

/// What a request is to change, the path that it names, and the one that it gives.
fn change(request: &Request) -> Option<(Action, Option<String>, Option<String>)> {
    match request {
        Request::Create(request) => wants_change(request).then(|| (Action::Create, request.name.decode().ok(), None)),
        Request::Write(_) => Some((Action::Write, None, None)),
        Request::SetInfo(request) => set(request).map(|(action, to_name)| (action, None, to_name)),
        Request::Ioctl(request) => {
            let action = match request.ctl_code {
                code::FSCTL_SRV_COPYCHUNK | code::FSCTL_SRV_COPYCHUNK_WRITE | code::FSCTL_DUPLICATE_EXTENTS_TO_FILE => {
                    Action::Copy
                }
                code::FSCTL_SET_ZERO_DATA => Action::Zero,
                code::FSCTL_SET_SPARSE => Action::Attributes,
                _ => return None,
            };
            Some((action, None, None))
        }
        _ => None,
    }
}

fn wants_change(request: &CreateRequest) -> bool {
    request.create_disposition != CreateDisposition::OPEN || request.desired_access.intersects(CHANGING)
}

/// What a SET_INFO is to change, and the path that it gives.
fn set(request: &SetInfoRequest) -> Option<(Action, Option<String>)> {
    match request.info_type {
        InfoType::FILE => match decode(request.file_info_class, &request.input).ok()? {
            SetFile::Basic(_) | SetFile::FullEa(_) => Some((Action::Attributes, None)),
            SetFile::Rename(rename) => Some((Action::Rename, Some(rename.name))),
            SetFile::Link(link) => Some((Action::Link, Some(link.name))),
            SetFile::Disposition(true) => Some((Action::Delete, None)),
            SetFile::DispositionEx(flags) if flags.contains(DispositionFlags::DELETE) => Some((Action::Delete, None)),
            SetFile::Disposition(false) | SetFile::DispositionEx(_) => Some((Action::Keep, None)),
            SetFile::Allocation(_) | SetFile::EndOfFile(_) | SetFile::ValidDataLength(_) => Some((Action::Size, None)),
            SetFile::Position(_) | SetFile::Mode(_) => None,
        },
        InfoType::SECURITY => Some((Action::Security, None)),
        _ => None,
    }
}
