//! Whether a request may be carried out at all: session, signature, seal and tree (MS-SMB2, 3.3.5.2.4 to 3.3.5.2.11).

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, AtomicU64},
};

use dittofs_smb_security::{Sender, signing::Signer};
use dittofs_smb_wire::{
    Command, Message, NtStatus,
    header::{HeaderFlags, Routing},
};

use super::{Call, Place, Related};
use crate::{failure::Failure, link::Link, session::Session, tree::Tree};

/// Finds session and tree of a request.
pub(super) fn call(
    link: &Arc<Link>,
    message: &Message,
    sealed: &Option<Arc<Session>>,
    related: &Related,
    place: Place,
) -> Result<Call, Failure> {
    let header = message.header;
    let is_related = header.flags.contains(HeaderFlags::RELATED_OPERATIONS);
    if is_related && (place.is_first || related.session_id.is_none()) {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    if link.terms().is_none() {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let session_id = if is_related { related.session_id.unwrap_or_default() } else { header.session_id };
    let session = link.session(session_id)?;
    demand_trust(&session, || session.channels.signer(link), message, sealed)?;
    if session.has_expired(link.server.options.limits.logon) && !goes_on(header.command) {
        return Err(NtStatus::NETWORK_SESSION_EXPIRED.into());
    }
    let tree_id = match header.routing {
        _ if is_related && related.tree_id.is_some() => related.tree_id.unwrap_or_default(),
        Routing::Synchronous { tree_id, .. } => tree_id,
        Routing::Asynchronous { .. } => 0,
    };
    let tree = session.tree(tree_id);
    if needs_tree(header.command) {
        let tree = tree.as_deref().ok_or(NtStatus::NETWORK_NAME_DELETED)?;
        demand_seal(tree, sealed.is_some())?;
    }
    let related_file = related.file.filter(|_| is_related).and_then(Result::ok);
    Ok(Call {
        link: Arc::clone(link),
        header,
        session,
        tree,
        related_file,
        may_wait: place.may_wait,
        earlier: related.earlier.clone(),
        async_id: AtomicU64::new(0),
        new_tree: AtomicU32::new(0),
        new_oplock: OnceLock::new(),
        is_sealed: sealed.is_some(),
    })
}

/// Whether a request is carried out in a session whose logon counts no longer: what gives something back is (3.3.5.2.9),
/// and what only asks whether the server is there. An acknowledgement is not in the standard's list; without it another
/// client would wait for its time-out.
fn goes_on(command: Command) -> bool {
    matches!(command, Command::LOGOFF | Command::CLOSE | Command::LOCK | Command::OPLOCK_BREAK | Command::ECHO)
}

fn needs_tree(command: Command) -> bool {
    !matches!(command, Command::LOGOFF | Command::TREE_CONNECT | Command::ECHO)
}

/// Refuses what is not sealed where the share demands it (3.3.5.2.11).
fn demand_seal(tree: &Tree, is_sealed: bool) -> Result<(), NtStatus> {
    if is_sealed || !tree.must_be_sealed() { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) }
}

/// Refuses what is not signed or sealed as the session demands, and what is signed wrongly.
fn demand_trust(
    session: &Session,
    signer: impl FnOnce() -> Option<Arc<Signer>>,
    message: &Message,
    sealed: &Option<Arc<Session>>,
) -> Result<(), NtStatus> {
    if let Some(sealed) = sealed {
        // Sealed by the keys of another session, it proves nothing here.
        return if sealed.id == session.id { Ok(()) } else { Err(NtStatus::ACCESS_DENIED) };
    }
    if session.keys.must_be_sealed {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if message.header.flags.contains(HeaderFlags::SIGNED) {
        let signer = signer().ok_or(NtStatus::USER_SESSION_DELETED)?;
        return signer.verify(Sender::Client, &message.bytes, &[]).map_err(|_| NtStatus::ACCESS_DENIED);
    }
    if session.keys.must_be_signed { Err(NtStatus::ACCESS_DENIED) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
