//! FSCTL_VALIDATE_NEGOTIATE_INFO (MS-SMB2, 3.3.5.15.12): a client asks, in a signed message, whether the unsigned
//! negotiation was what both sides have sent.

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus,
    control::{ValidateNegotiate, ValidateNegotiateResponse},
    ioctl::IoctlRequest,
};

use super::whole;
use crate::{
    calls::Call,
    establish::own_terms,
    failure::Failure,
    negotiation::{DIALECTS, Terms},
    protocol::SmbOptions,
};

/// Compares the terms.
///
/// # Errors
/// The connection ends if somebody has changed them on their way.
pub(super) fn validate(call: &Call, request: &IoctlRequest) -> Result<Bytes, Failure> {
    let seen = ValidateNegotiate::decode(&request.input)?;
    let terms = call.link.terms().ok_or(NtStatus::INVALID_PARAMETER)?;
    if !are_same(&call.link.server.options, &terms, &seen) {
        tracing::warn!(peer = %call.link.peer, "connection closed: its negotiation was not what the client has sent");
        return Err(Failure::unanswered());
    }
    let (guid, security_mode) = own_terms(&call.link);
    let response = ValidateNegotiateResponse {
        capabilities: terms.capabilities.bits(),
        guid: guid.0,
        security_mode: security_mode.bits(),
        dialect: terms.dialect.0,
    };
    whole(response.encode(), request, NtStatus::BUFFER_TOO_SMALL)
}

/// Whether the terms are those that the client's true offer leads to.
fn are_same(options: &SmbOptions, terms: &Terms, offer: &ValidateNegotiate) -> bool {
    let is_common = |dialect: &_| options.allows(*dialect) && offer.dialects.contains(&dialect.0);
    DIALECTS.into_iter().find(is_common) == Some(terms.dialect)
        && offer.guid == terms.client.guid.0
        && offer.security_mode == terms.client.security_mode.bits()
        && offer.capabilities == terms.client.capabilities.bits()
}

#[cfg(test)]
mod tests;
