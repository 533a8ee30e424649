//! The security descriptor of a file (MS-SMB2, 3.3.5.20.3).

use dittofs_domain::access::AccessMask;
use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus, Response,
    error::ErrorResponse,
    output::OutputBufferResponse,
    query_info::{QueryInfoRequest, SecurityInformation},
};

use crate::{
    calls::{Call, Done},
    descriptors::descriptor,
    failure::Failure,
    open::OpenNode,
};

/// The parts that the right to read the descriptor is for.
const READABLE: SecurityInformation = SecurityInformation::OWNER
    .union(SecurityInformation::GROUP)
    .union(SecurityInformation::DACL)
    .union(SecurityInformation::LABEL)
    .union(SecurityInformation::ATTRIBUTE)
    .union(SecurityInformation::SCOPE);
/// Those that need a right which nobody is given.
const UNREADABLE: SecurityInformation = SecurityInformation::SACL.union(SecurityInformation::BACKUP);

pub(super) async fn query(
    call: &Call,
    node: &OpenNode,
    entered: &Entered,
    request: &QueryInfoRequest,
) -> Result<Done, Failure> {
    let parts = SecurityInformation::from_bits_retain(request.additional_information);
    demand(node.access, parts)?;
    let attributes = entered.share.attributes(&node.caller, node.node).await?;
    let descriptor = descriptor(&attributes).filtered(parts);
    let length = descriptor.encoded_length();
    if length > request.output_buffer_length as usize {
        let has_contexts = call.link.terms().is_some_and(|terms| terms.is_3_1_1());
        return Err(Failure {
            status: NtStatus::BUFFER_TOO_SMALL,
            body: ErrorResponse::buffer_too_small(length as u32, has_contexts),
        });
    }
    let output = descriptor.encode().map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
    Ok(Response::Output(OutputBufferResponse { output }).into())
}

/// Refuses parts that an open has no right to read. To ask for none needs none.
fn demand(granted: AccessMask, parts: SecurityInformation) -> Result<(), NtStatus> {
    let lacks_right = parts.intersects(READABLE) && !granted.contains(AccessMask::READ_ACL);
    if parts.intersects(UNREADABLE) || lacks_right { Err(NtStatus::ACCESS_DENIED) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
