//! SESSION_SETUP and LOGOFF (MS-SMB2, 3.3.5.5 and 3.3.5.6).

use std::sync::{Arc, atomic::Ordering};

use dittofs_smb_security::{
    FileTime,
    preauth::PreauthHash,
    signing::Signer,
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
    establish::binding::{self, session as session_to_bind},
    failure::Failure,
    link::Link,
    negotiation::Terms,
    protocol::Encryption,
    renewal::renew,
    server::{now, random_bytes},
    session::{Keys, Session},
};

/// A session on its way.
pub(crate) struct Logon {
    acceptor: Acceptor,
    preauth: PreauthHash,
    /// Whether it is to bind a session to one more connection.
    binds: bool,
}

/// What a SESSION_SETUP has come to.
pub(crate) struct SetUp {
    pub(crate) status: NtStatus,
    pub(crate) message: OutgoingMessage,
    /// The key that signs the response.
    pub(crate) signed_by: Option<Arc<Signer>>,
}

/// The session that a SESSION_SETUP is for.
enum Onto {
    /// A new one.
    New,
    /// One of this connection, whose user proves itself again.
    Again(Arc<Session>),
    /// One of another connection, which this one is to be bound to.
    Bound(Arc<Session>),
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
    let existing = match header.session_id {
        _ if request.flags.contains(SessionSetupFlags::BINDING) => Onto::Bound(session_to_bind(link, header, &terms)?),
        0 => Onto::New,
        id => link.session(id).map_or(Onto::New, Onto::Again),
    };
    let id = match header.session_id {
        0 if link.sessions() >= link.server.options.limits.sessions => {
            return Err(NtStatus::INSUFFICIENT_RESOURCES.into());
        }
        0 => link.server.new_session_id(),
        id => id,
    };
    let binds = matches!(existing, Onto::Bound(_));
    let may_begin = header.session_id == 0 || !matches!(existing, Onto::New);
    let logon = logon(link, id, may_begin, binds)?;
    let mut logon = logon.lock().await;
    if logon.binds != binds {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    if terms.is_3_1_1() {
        logon.preauth.update(&[bytes]);
    }
    match logon.acceptor.step(&request.security_buffer) {
        Ok(Step::Continue(token)) => {
            let body = SessionSetupResponse { flags: SessionFlags::empty(), security_buffer: token };
            let message = OutgoingMessage::new(&response_header(NtStatus::MORE_PROCESSING_REQUIRED, id), &body);
            let signed_by = binding::signer(link, header);
            if terms.is_3_1_1() {
                logon.preauth.update(&[&binding::as_sent(&message, signed_by.as_deref())?]);
            }
            Ok(SetUp { status: NtStatus::MORE_PROCESSING_REQUIRED, message, signed_by })
        }
        Ok(Step::Identify(pending)) => {
            link.logons.lock().remove(&id);
            let proved = link.server.accounts.prove(link.peer, *pending).await.map_err(Failure::from);
            match proved {
                Ok(proved) => {
                    finish(link, &terms, (id, existing), request, &logon.preauth, proved, response_header).await
                }
                Err(failure) => Err(failed(link, existing, failure).await),
            }
        }
        Ok(Step::Anonymous { reply }) => {
            link.logons.lock().remove(&id);
            let Onto::Again(session) = existing else {
                tracing::warn!(peer = %link.peer, reason = "the client is anonymous", "logon refused");
                return Err(failed(link, existing, NtStatus::ACCESS_DENIED.into()).await);
            };
            session.is_anonymous.store(true, Ordering::Release);
            let body = SessionSetupResponse { flags: SessionFlags::IS_NULL, security_buffer: reply };
            let message = OutgoingMessage::new(&response_header(NtStatus::SUCCESS, id), &body);
            Ok(SetUp { status: NtStatus::SUCCESS, message, signed_by: session.channels.signer(link) })
        }
        Err(refusal) => {
            link.logons.lock().remove(&id);
            tracing::warn!(peer = %link.peer, reason = %refusal, "logon refused");
            Err(failed(link, existing, accounts::refused(&refusal).into()).await)
        }
    }
}

/// The exchange of a session, which begins if it may.
fn logon(link: &Link, id: u64, may_begin: bool, binds: bool) -> Result<Arc<Mutex<Logon>>, NtStatus> {
    let mut logons = link.logons.lock();
    if let Some(logon) = logons.get(&id) {
        return Ok(Arc::clone(logon));
    }
    if !may_begin {
        return Err(NtStatus::USER_SESSION_DELETED);
    }
    let names = Arc::clone(&link.server.names);
    let acceptor = Acceptor::new(names, random_bytes(), FileTime(now().0));
    let logon = Arc::new(Mutex::new(Logon { acceptor, preauth: link.preauth(), binds }));
    logons.insert(id, Arc::clone(&logon));
    Ok(logon)
}

async fn finish(
    link: &Arc<Link>,
    terms: &Arc<Terms>,
    (id, existing): (u64, Onto),
    request: &SessionSetupRequest,
    preauth: &PreauthHash,
    Proved { user, accepted }: Proved,
    response_header: impl Fn(NtStatus, u64) -> Header,
) -> Result<SetUp, Failure> {
    let session = match existing {
        // The keys stay as they are (3.3.5.5.3), and so does the user, whose groups may be others by now.
        Onto::Again(session) if session.user().name == user.name => {
            session.prove();
            renew(&link.server, &session, user).await;
            session.is_anonymous.store(false, Ordering::Release);
            session
        }
        Onto::Bound(session) if session.user().name == user.name && !session.is_over() => {
            let keys = Keys::derive(terms, id, (&accepted.session_key, preauth), (true, false));
            let keys = keys.map_err(|_| NtStatus::INTERNAL_ERROR)?;
            session.channels.add(link, keys.signer)?;
            session.client.add_link(link);
            link.add_session(Arc::clone(&session));
            session
        }
        existing @ (Onto::Again(_) | Onto::Bound(_)) => {
            let user = user.name.as_str();
            tracing::warn!(peer = %link.peer, user, reason = "the session is of another user", "logon refused");
            return Err(failed(link, existing, NtStatus::ACCESS_DENIED.into()).await);
        }
        Onto::New => {
            let options = &link.server.options;
            let client_demands = request.security_mode.contains(SessionSecurityMode::SIGNING_REQUIRED);
            let must_be_signed = options.signing_required || client_demands;
            let must_be_sealed = options.encryption == Encryption::Required;
            if must_be_sealed && terms.cipher.is_none() {
                let user = user.name.as_str();
                tracing::warn!(peer = %link.peer, user, reason = "the client can't encrypt", "logon refused");
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            let keys = Keys::derive(terms, id, (&accepted.session_key, preauth), (must_be_signed, must_be_sealed));
            let keys = keys.map_err(|_| NtStatus::INTERNAL_ERROR)?;
            let limits = &options.limits;
            let client = link.server.clients.enter(terms.client.guid);
            let holding = link.server.holdings.of(&user.name);
            let (who, keys) = ((user, client, holding), (keys, Arc::clone(terms)));
            let session = Arc::new(Session::new(id, who, keys, (limits.trees, limits.opens)));
            session.channels.add(link, Arc::clone(&session.keys.signer))?;
            session.client.add_link(link);
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
    Ok(SetUp { status: NtStatus::SUCCESS, message, signed_by: session.channels.signer(link) })
}

/// Ends the session that the client had before it lost its connection, if it was the same user's.
async fn replace_former(link: &Link, former: u64, session: &Session) {
    let Some(former) = link.server.find_session(former).filter(|former| former.id != session.id) else { return };
    if former.user().name == session.user().name {
        link.remove_session(former.id);
        close_session(&link.server, &former).await;
    }
}

/// A session whose user could not prove itself again ends (3.3.5.5.3).
async fn failed(link: &Link, existing: Onto, failure: Failure) -> Failure {
    if let Onto::Again(session) = existing {
        close_session(&link.server, &session).await;
    }
    failure
}

/// Answers LOGOFF.
pub(crate) async fn logoff(link: &Link, session: &Arc<Session>) {
    link.remove_session(session.id);
    close_session(&link.server, session).await;
}
