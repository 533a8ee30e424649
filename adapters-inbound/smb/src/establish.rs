//! NEGOTIATE and SESSION_SETUP: how a connection gets its terms, and a session its keys.

mod logon;
mod multi_protocol;

use dittofs_smb_security::spnego::{Mechanism, negotiate_token};
use dittofs_smb_wire::{
    Header, NtStatus, OutgoingMessage,
    filetime::FileTime,
    identifiers::Guid,
    negotiate::{NegotiateRequest, NegotiateResponse, SecurityMode},
};

use crate::{
    failure::Failure,
    link::Link,
    negotiation::{self, Terms, negotiate},
    server::{now, random_bytes},
};
pub(crate) use logon::{Logon, logoff, set_up};
pub(crate) use multi_protocol::multi_protocol;

/// Answers NEGOTIATE. The bytes of both messages go into the hash of SMB 3.1.1, so the response is made here.
///
/// # Errors
/// As [`negotiate`]; `INVALID_PARAMETER` on a connection that has terms.
pub(crate) fn answer_negotiate(
    link: &Link,
    request: &NegotiateRequest,
    bytes: &[u8],
    response_header: impl FnOnce() -> Header,
) -> Result<OutgoingMessage, Failure> {
    if link.terms().is_some() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let (terms, contexts) = negotiate(&link.server.options, request, random_bytes())?;
    let body = NegotiateResponse { contexts, ..response(link, &terms) };
    let message = OutgoingMessage::new(&response_header(), &body);
    let mut preauth = link.preauth();
    if terms.is_3_1_1() {
        preauth.update(&[bytes]);
        preauth.update(&message.segments().collect::<Vec<_>>());
    }
    link.set_terms(terms, preauth);
    Ok(message)
}

fn response(link: &Link, terms: &Terms) -> NegotiateResponse {
    let (io, system_time) = (terms.io_bytes_max(), now());
    NegotiateResponse {
        security_mode: terms.security_mode,
        dialect: terms.dialect,
        server_guid: link.server.guid,
        capabilities: terms.capabilities,
        max_transact_size: io,
        max_read_size: io,
        max_write_size: io,
        system_time,
        server_start_time: FileTime::ZERO,
        security_buffer: negotiate_token(&[Mechanism::Ntlm]),
        contexts: Vec::new(),
    }
}

/// The demands for signing, for [`crate::command`] to compare.
pub(crate) fn own_terms(link: &Link) -> (Guid, SecurityMode) {
    (link.server.guid, negotiation::security_mode(&link.server.options))
}
