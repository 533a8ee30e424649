//! Information about a file (MS-SMB2, 3.3.5.20.1; MS-FSA, queries of file information).

use std::sync::atomic::Ordering;

use dittofs_domain::{Attributes, NodeKind, access::AccessMask};
use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus,
    access::AccessMask as WireAccess,
    dialect::Dialect,
    info::{FileClass, FileFacts, FileMetadata, OpenFacts, StreamFacts, ea::FULL_EA_CLASS, file},
    query_info::QueryInfoRequest,
};

use super::{answer, extended};
use crate::{
    calls::{Call, Done},
    facts::{UNIT_BYTES, metadata},
    failure::Failure,
    names::stream_shown,
    open::OpenNode,
};

pub(super) async fn query(
    call: &Call,
    node: &OpenNode,
    entered: &Entered,
    request: &QueryInfoRequest,
) -> Result<Done, Failure> {
    if request.file_info_class == FULL_EA_CLASS {
        return extended::query(node, entered, request).await;
    }
    let class = FileClass::from_code(request.file_info_class).ok_or(NtStatus::INVALID_INFO_CLASS)?;
    let dialect = call.link.terms().map_or(Dialect::SMB_2_0_2, |terms| terms.dialect);
    demand_spoken(class, dialect)?;
    if needs_right(class) {
        node.demand_any(AccessMask::READ_ATTRIBUTES)?;
    }
    answer(file::encode(class, &facts(class, node, entered).await?, request.output_buffer_length as usize))
}

/// Refuses classes that a dialect does not have, and that no file here has.
fn demand_spoken(class: FileClass, dialect: Dialect) -> Result<(), NtStatus> {
    match class {
        FileClass::NormalizedName if dialect != Dialect::SMB_3_1_1 => Err(NtStatus::NOT_SUPPORTED),
        FileClass::Id if dialect.0 < Dialect::SMB_3_0.0 => Err(NtStatus::NOT_SUPPORTED),
        // There are no 8.3 names. Clients do without the class then; "no such name" some take for a failure.
        FileClass::AlternateName => Err(NtStatus::NOT_IMPLEMENTED),
        FileClass::Posix => Err(NtStatus::INVALID_INFO_CLASS),
        _ => Ok(()),
    }
}

/// Whether a class needs the right to read attributes (MS-FSA, queries of file information).
fn needs_right(class: FileClass) -> bool {
    matches!(class, FileClass::Basic | FileClass::All | FileClass::NetworkOpen | FileClass::AttributeTag)
}

/// Whether a class tells of the file, and not only of the open.
fn tells_of_file(class: FileClass) -> bool {
    !matches!(
        class,
        FileClass::Internal
            | FileClass::Access
            | FileClass::Name
            | FileClass::Position
            | FileClass::Mode
            | FileClass::Alignment
            | FileClass::NormalizedName
            | FileClass::Id
    )
}

/// The facts that a class tells of.
async fn facts(class: FileClass, node: &OpenNode, entered: &Entered) -> Result<FileFacts, Failure> {
    let share = &*entered.share;
    let mut facts = FileFacts {
        metadata: FileMetadata { file_id: node.file.0, ..FileMetadata::default() },
        volume_id: entered.node.share.0,
        directory: node.is_directory,
        open: OpenFacts {
            access: WireAccess::from_bits_retain(node.access.bits()),
            mode: node.mode,
            alignment: 0,
            position: node.position.load(Ordering::Relaxed),
        },
        path: format!("\\{}", node.place.lock().path),
        ..FileFacts::default()
    };
    if tells_of_file(class) {
        let attributes = share.attributes(&node.caller, node.node).await?;
        facts.metadata = metadata(&attributes);
        facts.links = links(&attributes);
    }
    if class == FileClass::Stream {
        facts.streams = streams(node, entered).await?;
    }
    if matches!(class, FileClass::Standard | FileClass::All) && share.is_deleting(node.node).await? {
        facts.delete_pending = true;
        // The name that goes is counted no more.
        facts.links = facts.links.saturating_sub(1);
    }
    Ok(facts)
}

/// Names of a file. A directory has one: what POSIX counts besides are the entries that lead back to it.
fn links(node: &Attributes) -> u32 {
    if node.kind == NodeKind::Directory { 1 } else { node.links }
}

/// The streams of a file, whichever of them is open: the unnamed one, which directories have not, and the named ones.
async fn streams(node: &OpenNode, entered: &Entered) -> Result<Vec<StreamFacts>, Failure> {
    let file = entered.share.attributes(&node.caller, node.file).await?;
    let mut streams = Vec::new();
    if file.kind != NodeKind::Directory {
        let FileMetadata { end_of_file, allocation_size, .. } = metadata(&file);
        streams.push(StreamFacts { name: String::new(), size: end_of_file, allocation_size });
    }
    for stream in entered.share.streams(&node.caller, node.file).await? {
        let allocation_size = stream.used.next_multiple_of(UNIT_BYTES);
        streams.push(StreamFacts { name: stream_shown(&stream.name), size: stream.size, allocation_size });
    }
    Ok(streams)
}

#[cfg(test)]
mod tests;
