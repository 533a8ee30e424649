//! Sparse files: FSCTL_SET_SPARSE, FSCTL_SET_ZERO_DATA and FSCTL_QUERY_ALLOCATED_RANGES (MS-FSCC, 2.3).
//!
//! Every file can have holes here. To a client, one without the attribute has none.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{access::AccessMask, error::FsResult, namespace::SetAttributes};
use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus,
    attributes::FileAttributes,
    control::{FileRange, ZeroData, encode_ranges, is_set_sparse},
    ioctl::IoctlRequest,
};

use super::{answer_with, enter};
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::OpenNode,
};

const SPARSE: u32 = FileAttributes::SPARSE_FILE.bits();

/// Whether DOS attributes are those of a sparse file.
pub(super) fn is_sparse(dos_attributes: u32) -> bool {
    dos_attributes & SPARSE != 0
}

/// Makes a file sparse, or not.
pub(super) async fn set_sparse(call: &Call, node: &OpenNode, input: &Bytes) -> Result<Bytes, Failure> {
    demand_file(node)?;
    node.demand_any(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA | AccessMask::WRITE_ATTRIBUTES)?;
    let entered = enter(call, call.tree()?)?;
    let former = entered.share.attributes(&node.caller, node.node).await?.dos_attributes;
    let wanted = if is_set_sparse(input) { former | SPARSE } else { former & !SPARSE };
    if wanted != former {
        let request = SetAttributes { dos_attributes: Some(wanted), ..SetAttributes::default() };
        entered.share.set_attributes(&node.caller, node.file, &request, None).await?;
    }
    Ok(Bytes::new())
}

/// Makes a range zeros. The file does not grow.
pub(super) async fn set_zero_data(call: &Call, node: &OpenNode, input: &Bytes) -> Result<Bytes, Failure> {
    demand_file(node)?;
    node.demand_any(AccessMask::WRITE_DATA)?;
    let zeros = ZeroData::decode(input)?;
    if !zeros.is_valid() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    if zeros.start < zeros.end {
        let entered = enter(call, call.tree()?)?;
        entered.share.punch(&node.caller, node.node, zeros.start..zeros.end).await?;
    }
    Ok(Bytes::new())
}

/// Tells which parts of a range hold data.
pub(super) async fn query_allocated_ranges(
    call: &Call,
    node: &OpenNode,
    request: &IoctlRequest,
) -> Result<Done, Failure> {
    let _in_use = node.in_use.read().await;
    demand_file(node)?;
    node.demand_any(AccessMask::READ_DATA)?;
    let asked = FileRange::decode(&request.input)?;
    if !asked.is_valid() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let entered = enter(call, call.tree()?)?;
    let attributes = entered.share.attributes(&node.caller, node.node).await?;
    let range = asked.offset..(asked.offset + asked.length).min(attributes.size);
    let limit = request.max_output_response as usize;
    let found = match () {
        () if range.is_empty() => Vec::new(),
        () if !is_sparse(attributes.dos_attributes) => vec![range],
        // One more than there is room for tells that the answer is not complete.
        () => data_ranges(&entered, node, range, limit / FileRange::LENGTH + 1).await?,
    };
    let found: Vec<FileRange> =
        found.into_iter().map(|range| FileRange { offset: range.start, length: range.end - range.start }).collect();
    let encoded = encode_ranges(&found, limit).map_err(|_| NtStatus::BUFFER_TOO_SMALL)?;
    let status = if encoded.overflow { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
    Ok(answer_with(status, call, request, encoded.bytes))
}

/// Where a range of a file has data. At least `ranges_max` ranges if there are as many, the last of them perhaps not to
/// its end.
async fn data_ranges(
    entered: &Entered,
    node: &OpenNode,
    range: Range<u64>,
    ranges_max: usize,
) -> FsResult<Vec<Range<u64>>> {
    let mut found: Vec<Range<u64>> = Vec::new();
    let mut at = range.start;
    while found.len() < ranges_max {
        let room = ranges_max - found.len();
        let some = entered.share.allocated_ranges(&node.caller, node.node, at..range.end, room).await?;
        append(&mut found, some.ranges);
        match some.next {
            Some(next) if next > at => at = next,
            _ => break,
        }
    }
    Ok(found)
}

/// Puts ranges behind others. What goes on where the last one ended belongs to it.
fn append(found: &mut Vec<Range<u64>>, more: Vec<Range<u64>>) {
    for range in more {
        match found.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => found.push(range),
        }
    }
}

/// Demands a file: directories have no bytes.
fn demand_file(node: &OpenNode) -> Result<(), NtStatus> {
    if node.is_directory { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
