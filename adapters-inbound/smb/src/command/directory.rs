//! QUERY_DIRECTORY (MS-SMB2, 3.3.5.18; MS-FSA, directory queries).

mod scan;

use std::sync::Arc;

use dittofs_domain::{FoldTable, access::AccessMask};
use dittofs_smb_wire::{
    NtStatus, Response,
    info::{DirectoryClass, DirectoryPage, Pattern},
    output::OutputBufferResponse,
    query_directory::{QueryDirectoryFlags, QueryDirectoryRequest},
    text::Utf16Text,
};

use super::demand_credits;
use crate::{
    calls::{Call, Done},
    failure::Failure,
    holdings::Holding,
    listing::{Listing, Next},
    tree::TreeKind,
};
use scan::{Page, Scan};

pub(super) async fn query(call: &Call, request: &QueryDirectoryRequest) -> Result<Done, Failure> {
    demand_credits(call, u64::from(request.output_buffer_length))?;
    let class = class(request.file_information_class)?;
    let open = call.open(request.file_id)?;
    let node = open.node()?;
    let _in_use = node.in_use.read().await;
    if !node.is_directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    node.demand_any(AccessMask::LIST_DIRECTORY)?;
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    let bytes_max = request.output_buffer_length as usize;
    let page = DirectoryPage::new(class, bytes_max).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;

    let mut listing = node.listing.lock().await;
    let folding = entered.share.folding();
    begin(&mut listing, (request, folding), &call.session.holding)?;
    let Some(pattern) = &listing.pattern else { return Err(NtStatus::INVALID_PARAMETER.into()) };
    let is_single = request.flags.contains(QueryDirectoryFlags::RETURN_SINGLE_ENTRY);
    let page = Page::new(page, (class, bytes_max), is_single);
    let mut scan = Scan::new(node, (&*entered.share, entered.node.node), (pattern, folding), listing.next, page);
    scan.run(&request.pattern.decode().unwrap_or_default()).await?;
    let (page, next) = scan.finish();

    // Nothing is kept of a request that fails: the next one begins where this one did.
    let was_through = std::mem::replace(&mut listing.next, next) == Next::End;
    if page.is_empty() {
        let has_ended = listing.has_found || was_through;
        return Err(if has_ended { NtStatus::NO_MORE_FILES } else { NtStatus::NO_SUCH_FILE }.into());
    }
    listing.has_found = true;
    Ok(Response::Output(OutputBufferResponse { output: page.finish() }).into())
}

/// The class of the entries. That of the POSIX extensions belongs to opens that nobody gets yet.
fn class(code: u8) -> Result<DirectoryClass, NtStatus> {
    DirectoryClass::from_code(code).filter(|class| *class != DirectoryClass::Posix).ok_or(NtStatus::INVALID_INFO_CLASS)
}

/// Makes the listing ready for a request: takes the pattern of a new one, and goes back to the start where the client
/// wants that. An index to begin at means nothing here: entries have none.
///
/// # Errors
/// `OBJECT_NAME_INVALID` for a pattern that is none; `INSUFFICIENT_RESOURCES`.
fn begin(
    listing: &mut Listing,
    (request, folding): (&QueryDirectoryRequest, FoldTable),
    holding: &Arc<Holding>,
) -> Result<(), NtStatus> {
    if listing.pattern.is_none() || request.flags.contains(QueryDirectoryFlags::REOPEN) {
        // Each of its characters, of two bytes, is kept as four.
        let _room = Some(holding.take((2 * request.pattern.as_bytes().len()) >> 10)?);
        *listing = Listing { pattern: Some(pattern(&request.pattern, folding)?), _room, ..Listing::default() };
    } else if request.flags.contains(QueryDirectoryFlags::RESTART_SCANS) {
        listing.next = Next::default();
        listing.has_found = false;
    }
    Ok(())
}

/// A pattern, which finds names as CREATE does: by the share's own table. An empty one stands for all names.
fn pattern(text: &Utf16Text, folding: FoldTable) -> Result<Pattern, NtStatus> {
    let text = text.decode().map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    if text.contains(['\\', '/', '\0']) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    let text = if text.is_empty() { "*" } else { &text };
    Pattern::new(text, &|letter| folding.fold_char(letter)).map_err(|_| NtStatus::OBJECT_NAME_INVALID)
}

#[cfg(test)]
mod tests;
