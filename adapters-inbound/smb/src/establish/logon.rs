//! SESSION_SETUP and LOGOFF (MS-SMB2, 3.3.5.5 and 3.3.5.6).

use std::sync::{Arc, atomic::Ordering};

use dittofs_smb_security::{
    FileTime,
    preauth::PreauthHash,
    spnego::{Acceptor, Step},
};
use dittofs_smb_wire::{
    Header, NtStatus, OutgoingMessage,
    session_setup::{SessionFlags, SessionSecurityMode, SessionSetupFlags, SessionSetupRequest, SessionSetupResponse},
};
use tokio::sync::Mutex;

use crate::{
    accounts::{self, Proved},
    closing::close_session,
    failure::Failure,
    link::Link,
    negotiation::Terms,
    protocol::Encryption,
    server::{now, random_bytes},
    session::{Keys, Session},
};

/// A session on its way.
pub(crate) struct Logon {
    acceptor: Acceptor,
    preauth: PreauthHash,
}

/// What a SESSION_SETUP has come to.
pub(crate) struct SetUp {
    pub(crate) message: OutgoingMessage,
    /// The session whose key signs the response.
    pub(crate) signed_by: Option<Arc<Session>>,
}

/// Answers SESSION_SETUP. `response_header` makes the header of a response with a status and a session.
pub(crate) async fn set_up(
    link: &Arc<Link>,
    header: &Header,
    request: &SessionSetupRequest,
    bytes: &[u8],
    response_header: impl Fn(NtStatus, u64) -> Header,
) -> Result<SetUp, Failure> {
    let terms = link.terms().ok_or(NtStatus::INVALID_PARAMETER)?;
    if request.flags.contains(SessionSetupFlags::BINDING) {
        // Sessions of several connections come with a later version.
        return Err(refused_binding(link, header, &terms).into());
    }
    let existing = match header.session_id {
        0 => None,
        id => link.session(id).ok(),
    };
    let id = match header.session_id {
        0 if link.sessions() >= link.server.options.limits.sessions => {
            return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
        }
        0 => link.server.new_session_id(),
        id => id,
    };
    let logon = logon(link, id, header.session_id == 0 || existing.is_some())?;
    let mut logon = logon.lock().await;
    if terms.is_3_1_1() {
        logon.preauth.update(&[bytes]);
    }
    match logon.acceptor.step(&request.security_buffer) {
        Ok(Step::Continue(token)) => {
            let body = SessionSetupResponse { flags: SessionFlags::empty(), security_buffer: token };
            let message = OutgoingMessage::new(&response_header(NtStatus::MORE_PROCESSING_REQUIRED, id), &body);
            if terms.is_3_1_1() {
                logon.preauth.update(&message.segments().collect::<Vec<_>>());
            }
            Ok(SetUp { message, signed_by: None })
        }
        Ok(Step::Identify(pending)) => {
            link.logons.lock().remove(&id);
            let proved = link.server.accounts.prove(link.peer, *pending).await.map_err(Failure::from);
            match proved {
                Ok(proved) => {
                    finish(link, &terms, (id, existing), request, &logon.preauth, proved, response_header).await
                }
                Err(failure) => Err(failed(link, id, existing, failure).await),
            }
        }
        Ok(Step::Anonymous { .. }) => {
            link.logons.lock().remove(&id);
            Err(failed(link, id, existing, NtStatus::ACCESS_DENIED.into()).await)
        }
        Err(refusal) => {
            link.logons.lock().remove(&id);
            Err(failed(link, id, existing, accounts::refused(&refusal).into()).await)
        }
    }
}

/// The exchange of a session, which begins if it may.
fn logon(link: &Link, id: u64, may_begin: bool) -> Result<Arc<Mutex<Logon>>, NtStatus> {
    let mut logons = link.logons.lock();
    if let Some(logon) = logons.get(&id) {
        return Ok(Arc::clone(logon));
    }
    if !may_begin {
        return Err(NtStatus::USER_SESSION_DELETED);
    }
    let names = Arc::clone(&link.server.names);
    let acceptor = Acceptor::new(names, random_bytes(), FileTime(now().0));
    let logon = Arc::new(Mutex::new(Logon { acceptor, preauth: link.preauth() }));
    logons.insert(id, Arc::clone(&logon));
    Ok(logon)
}

async fn finish(
    link: &Arc<Link>,
    terms: &Terms,
    (id, existing): (u64, Option<Arc<Session>>),
    request: &SessionSetupRequest,
    preauth: &PreauthHash,
    Proved { user, accepted }: Proved,
    response_header: impl Fn(NtStatus, u64) -> Header,
) -> Result<SetUp, Failure> {
    let session = match existing {
        // The keys stay as they are (3.3.5.5.3), and so does the user.
        Some(session) if session.user == user => session,
        Some(session) => {
            let denied = NtStatus::ACCESS_DENIED.into();
            return Err(failed(link, id, Some(session), denied).await);
        }
        None => {
            let options = &link.server.options;
            let client_demands = request.security_mode.contains(SessionSecurityMode::SIGNING_REQUIRED);
            let must_be_signed = options.signing_required || client_demands;
            let must_be_sealed = options.encryption == Encryption::Required;
            if must_be_sealed && terms.cipher.is_none() {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            let keys = Keys::derive(terms, id, (&accepted.session_key, preauth), (must_be_signed, must_be_sealed));
            let keys = keys.map_err(|_| NtStatus::INTERNAL_ERROR)?;
            let limits = &options.limits;
            let holding = link.server.holdings.of(&user.name);
            let session = Arc::new(Session::new((id, user, keys), holding, (limits.trees, limits.opens)));
            link.add_session(Arc::clone(&session));
            link.server.note_session(&session);
            session
        }
    };
    replace_former(link, request.previous_session_id, &session).await;
    link.is_admitted.store(true, Ordering::Release);
    let mut flags = SessionFlags::empty();
    flags.set(SessionFlags::ENCRYPT_DATA, session.keys.must_be_sealed);
    let body = SessionSetupResponse { flags, security_buffer: accepted.reply };
    let message = OutgoingMessage::new(&response_header(NtStatus::SUCCESS, id), &body);
    Ok(SetUp { message, signed_by: Some(session) })
}

/// Ends the session that the client had before it lost its connection, if it was the same user's.
async fn replace_former(link: &Link, former: u64, session: &Session) {
    let Some(former) = link.server.find_session(former).filter(|former| former.id != session.id) else { return };
    if former.user == session.user {
        link.remove_session(former.id);
        close_session(&link.server, &former).await;
    }
}

/// A session whose user could not prove itself again ends (3.3.5.5.3).
async fn failed(link: &Link, id: u64, existing: Option<Arc<Session>>, failure: Failure) -> Failure {
    if let Some(session) = existing {
        link.remove_session(id);
        close_session(&link.server, &session).await;
    }
    failure
}

/// Answers LOGOFF.
pub(crate) async fn logoff(link: &Link, session: &Arc<Session>) {
    link.remove_session(session.id);
    close_session(&link.server, session).await;
}

/// Why a session is not bound to one more connection (3.3.5.5.2).
fn refused_binding(link: &Link, header: &Header, terms: &Terms) -> NtStatus {
    use dittofs_smb_wire::dialect::Dialect;
    match link.server.find_session(header.session_id) {
        None => NtStatus::USER_SESSION_DELETED,
        Some(_) if terms.dialect.0 < Dialect::SMB_3_0.0 => NtStatus::REQUEST_NOT_ACCEPTED,
        Some(_) => NtStatus::REQUEST_NOT_ACCEPTED,
    }
}
