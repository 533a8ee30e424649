//! Copies that the server makes: FSCTL_SRV_COPYCHUNK (MS-SMB2, 3.3.5.15.6) and FSCTL_DUPLICATE_EXTENTS_TO_FILE
//! (MS-FSCC, 2.3). Bytes are not moved: the destination gets what the source consists of.

mod pair;
mod spans;

use std::{cmp::Ordering, sync::Arc};

use dittofs_domain::access::AccessMask;
use dittofs_smb_wire::{
    NtStatus,
    control::{Chunk, CopyChunk, CopyChunkLimits, CopyChunkResponse, DuplicateExtents, ResumeKey, code},
    identifiers::FileId,
    ioctl::IoctlRequest,
};
use tokio::sync::RwLockReadGuard;

use super::{answer_with, resume_key, sparse::is_sparse};
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::{Open, OpenNode},
};
use pair::Pair;
use spans::{Span, first_run};

/// No byte of a file is behind.
const OFFSET_MAX: u64 = i64::MAX as u64;

/// Copies chunks into an open. Its answer says how far it came, also if it failed.
pub(super) async fn copy_chunks(call: &Call, target: &Open, request: &IoctlRequest) -> Result<Done, Failure> {
    if (request.max_output_response as usize) < CopyChunkResponse::LENGTH {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let told = |status, done: CopyChunkResponse| answer_with(status, call, request, done.encode());
    let mut done = CopyChunkResponse::default();
    // Some clients read the output of each INVALID_PARAMETER here.
    let Ok(wanted) = CopyChunk::decode(&request.input) else { return Ok(told(NtStatus::INVALID_PARAMETER, done)) };
    let limits = CopyChunkLimits::default();
    if !limits.allow(&wanted) {
        return Ok(told(NtStatus::INVALID_PARAMETER, limits.response()));
    }
    match copy_some(call, target, request.ctl_code, &wanted, &mut done).await {
        Ok(()) => Ok(told(NtStatus::SUCCESS, done)),
        Err(failure) if failure.is_unanswered() => Err(failure),
        Err(failure) => Ok(told(failure.status, done)),
    }
}

async fn copy_some(
    call: &Call,
    target: &Open,
    ctl_code: u32,
    wanted: &CopyChunk,
    done: &mut CopyChunkResponse,
) -> Result<(), Failure> {
    let source = open_of_key(call, wanted.source).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    demand_access(source.node()?, target.node()?)?;
    if ctl_code == code::FSCTL_SRV_COPYCHUNK {
        target.node()?.demand_any(AccessMask::READ_DATA)?;
    }
    let _in_use = both_in_use(&source, target).await?;
    let pair = Pair::enter(call, &source, target)?;
    copy_each(&pair, &wanted.chunks, done).await
}

/// Copies chunks in their order, as many at once as lie behind one another.
async fn copy_each(pair: &Pair<'_>, chunks: &[Chunk], done: &mut CopyChunkResponse) -> Result<(), Failure> {
    // A chunk of one file may read what the one before has written.
    let mut run_max = if pair.is_one_file() { 1 } else { chunks.len() };
    let mut rest = chunks;
    while let Some((span, count)) = first_run(rest, run_max) {
        match pair.copy(span).await {
            Ok(()) => {
                done.chunks_written += count as u32;
                done.total_bytes_written += span.length as u32;
                rest = rest.get(count..).unwrap_or_default();
            }
            // Again, to tell which chunk it is.
            Err(failure) if count > 1 && !failure.is_unanswered() => run_max = 1,
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Makes a range of a file share what another range consists of.
///
/// # Errors
/// `NOT_SUPPORTED` where a range is not all in its file, where both overlap, and for a sparse source of a destination
/// that is not sparse; `INVALID_HANDLE` for a source of another share.
pub(super) async fn duplicate_extents(call: &Call, target: &Open, request: &IoctlRequest) -> Result<(), Failure> {
    let wanted = DuplicateExtents::decode(&request.input)?;
    let id = FileId { persistent: wanted.source_persistent, volatile: wanted.source_volatile };
    let found = call.session.open_anywhere(id.volatile).filter(|open| open.id == id);
    let source = found.ok_or(NtStatus::INVALID_HANDLE)?;
    demand_access(source.node()?, target.node()?)?;
    // The range is there already, so that it is not only appended to.
    target.node()?.demand_any(AccessMask::WRITE_DATA)?;
    let _in_use = both_in_use(&source, target).await?;
    let pair = Pair::enter(call, &source, target)?;
    if !pair.is_one_share() {
        return Err(NtStatus::INVALID_HANDLE.into());
    }
    let span = Span { source: wanted.source_offset, target: wanted.target_offset, length: wanted.length };
    let (Some(source_end), Some(target_end)) = (span.source_end(), span.target_end()) else {
        return Err(NtStatus::INVALID_PARAMETER.into());
    };
    if source_end.max(target_end) > OFFSET_MAX {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let (from, to) = (pair.source_attributes().await?, pair.target_attributes().await?);
    let are_within = source_end <= from.size && target_end <= to.size;
    let is_mixed = is_sparse(from.dos_attributes) && !is_sparse(to.dos_attributes);
    match span.length {
        0 => Ok(()),
        _ if !are_within || is_mixed || pair.is_one_file() && span.overlaps() => Err(NtStatus::NOT_SUPPORTED.into()),
        _ => pair.clone_range(span).await,
    }
}

/// The open that a key names.
fn open_of_key(call: &Call, key: ResumeKey) -> Option<Arc<Open>> {
    let found = call.session.open_anywhere(resume_key::volatile(key));
    found.filter(|open| resume_key::of(call.session.id, open.id) == key)
}

/// Demands files, of which the one may be read and the other written.
fn demand_access(source: &OpenNode, target: &OpenNode) -> Result<(), NtStatus> {
    if source.is_directory || target.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST);
    }
    source.demand_any(AccessMask::READ_DATA | AccessMask::EXECUTE)?;
    target.demand_any(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA)
}

/// Has both opens in use, in the order of their ids: two copies in opposite directions would otherwise wait for each
/// other once both opens are being closed. One open is used once, as its close may come in between.
async fn both_in_use<'o>(
    source: &'o Open,
    target: &'o Open,
) -> Result<(RwLockReadGuard<'o, ()>, Option<RwLockReadGuard<'o, ()>>), NtStatus> {
    let (first, second) = match source.id.volatile.cmp(&target.id.volatile) {
        Ordering::Less => (source, Some(target)),
        Ordering::Equal => (source, None),
        Ordering::Greater => (target, Some(source)),
    };
    let first = first.node()?.in_use.read().await;
    let second = match second {
        Some(open) => Some(open.node()?.in_use.read().await),
        None => None,
    };
    Ok((first, second))
}
