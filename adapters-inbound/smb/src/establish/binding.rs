//! One more connection for a session (MS-SMB2, 3.3.5.5.2), and the keys of SESSION_SETUPs for sessions that there are.

use std::sync::Arc;

use dittofs_smb_security::{
    Sender,
    signing::{Signer, SigningAlgorithm},
};
use dittofs_smb_wire::{
    Header, Message, NtStatus, OutgoingMessage, dialect::Dialect, header::HeaderFlags, negotiate::Capabilities,
};

use crate::{link::Link, negotiation::Terms, session::Session};

/// The key that signs the answer to a SESSION_SETUP, whether that succeeds or not: that of its session here, or on the
/// connection that the session was set up on. None if the request is not signed, or there is no such session.
pub(crate) fn signer(link: &Link, header: &Header) -> Option<Arc<Signer>> {
    if !header.flags.contains(HeaderFlags::SIGNED) {
        return None;
    }
    let here = link.former_session(header.session_id).and_then(|session| session.channels.signer(link));
    here.or_else(|| link.server.find_session(header.session_id).map(|session| Arc::clone(&session.keys.signer)))
}

/// Refuses a SESSION_SETUP that is signed wrongly, or not protected where its session's messages are: whoever can put
/// bytes into a connection could end its sessions (3.3.5.2.4). A signature is enough, since clients do not seal it.
///
/// # Errors
/// `ACCESS_DENIED`.
pub(crate) fn demand_trust(link: &Link, message: &Message, sealed: &Option<Arc<Session>>) -> Result<(), NtStatus> {
    let session = link.session(message.header.session_id).ok();
    demand_signature(session.as_deref(), signer(link, &message.header).as_deref(), message, sealed.as_deref())
}

fn demand_signature(
    session: Option<&Session>,
    signer: Option<&Signer>,
    message: &Message,
    sealed: Option<&Session>,
) -> Result<(), NtStatus> {
    match (sealed, session, signer) {
        (Some(sealed), Some(session), _) if sealed.id != session.id => Err(NtStatus::ACCESS_DENIED),
        (Some(_), _, _) => Ok(()),
        (None, _, Some(signer)) => {
            signer.verify(Sender::Client, &message.bytes, &[]).map_err(|_| NtStatus::ACCESS_DENIED)
        }
        (None, Some(session), None) if session.keys.must_be_signed || session.keys.must_be_sealed => {
            Err(NtStatus::ACCESS_DENIED)
        }
        (None, _, None) => Ok(()),
    }
}

/// A response as its bytes are sent, for the hash over what both sides have said.
///
/// # Errors
/// `INTERNAL_ERROR` if the library fails.
pub(super) fn as_sent(message: &OutgoingMessage, signer: Option<&Signer>) -> Result<Vec<u8>, NtStatus> {
    let mut bytes: Vec<u8> = message.segments().flatten().copied().collect();
    if let Some(signer) = signer {
        signer.sign(Sender::Server, &mut bytes, &[]).map_err(|_| NtStatus::INTERNAL_ERROR)?;
    }
    Ok(bytes)
}

/// The session that a connection is to be bound to.
///
/// # Errors
/// The status that tells why it can't be.
pub(super) fn session(link: &Link, header: &Header, terms: &Terms) -> Result<Arc<Session>, NtStatus> {
    if header.session_id == 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let found = link.server.find_session(header.session_id).filter(|session| !session.is_over());
    let session = found.ok_or(NtStatus::USER_SESSION_DELETED)?;
    demand_fit(&session.terms, terms)?;
    if !terms.capabilities.contains(Capabilities::MULTI_CHANNEL) {
        return Err(NtStatus::REQUEST_NOT_ACCEPTED);
    }
    if !header.flags.contains(HeaderFlags::SIGNED) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if session.terms.client.guid != terms.client.guid {
        return Err(NtStatus::USER_SESSION_DELETED);
    }
    if session.channels.signer(link).is_some() {
        return Err(NtStatus::REQUEST_NOT_ACCEPTED);
    }
    Ok(session)
}

/// Demands that the terms of a connection are those of a session. Statuses and their order are as Windows has them.
fn demand_fit(session: &Terms, link: &Terms) -> Result<(), NtStatus> {
    let is_gmac = |terms: &Terms| terms.signing == SigningAlgorithm::AesGmac;
    if is_gmac(session) && !is_gmac(link) {
        return Err(NtStatus::REQUEST_OUT_OF_SEQUENCE);
    }
    if is_gmac(link) && !is_gmac(session) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if link.dialect.0 < Dialect::SMB_3_0.0 {
        return Err(NtStatus::REQUEST_NOT_ACCEPTED);
    }
    if session.dialect != link.dialect || session.cipher != link.cipher {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
