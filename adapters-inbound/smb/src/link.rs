//! The state of one connection that its requests share (MS-SMB2, 3.3.1.7).

mod outbox;
mod waiting;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use dittofs_domain::ClientId;
use dittofs_ports::Presented;
use dittofs_smb_security::preauth::PreauthHash;
use dittofs_smb_wire::NtStatus;
use parking_lot::Mutex;

use crate::{
    credits::Window,
    establish::Logon,
    negotiation::Terms,
    server::Server,
    session::{Session, User},
};
pub(crate) use outbox::{Frame, Outbox};
pub(crate) use waiting::{Cancelled, Wait, Waiting};

/// A connection.
pub(crate) struct Link {
    pub(crate) server: Arc<Server>,
    pub(crate) peer: SocketAddr,
    /// The address that the client has reached.
    pub(crate) local: OnceLock<IpAddr>,
    /// The terms, and what both sides have said to reach them.
    negotiated: Mutex<(Option<Arc<Terms>>, PreauthHash)>,
    sessions: Mutex<HashMap<u64, Arc<Session>>>,
    /// Sessions that are being set up.
    pub(crate) logons: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<Logon>>>>,
    pub(crate) window: Mutex<Window>,
    pub(crate) waiting: Waiting,
    /// Where messages go that answer no request at once.
    pub(crate) outbox: Outbox,
    /// Whether a session was set up: a stranger until then.
    pub(crate) is_admitted: AtomicBool,
    /// Whether it is over: nothing that is sent reaches the client.
    pub(crate) is_over: AtomicBool,
}

impl Link {
    pub(crate) fn new(server: Arc<Server>, peer: SocketAddr, outbox: Outbox) -> Link {
        Link {
            server,
            peer,
            local: OnceLock::new(),
            negotiated: Mutex::new((None, PreauthHash::new())),
            sessions: Mutex::default(),
            logons: Mutex::default(),
            window: Mutex::default(),
            waiting: Waiting::default(),
            outbox,
            is_admitted: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// The terms, once there are some.
    pub(crate) fn terms(&self) -> Option<Arc<Terms>> {
        self.negotiated.lock().0.clone()
    }

    /// The hash over the negotiation, from which those of sessions go on.
    pub(crate) fn preauth(&self) -> PreauthHash {
        self.negotiated.lock().1.clone()
    }

    /// Takes the terms, once.
    pub(crate) fn set_terms(&self, terms: Terms, preauth: PreauthHash) {
        *self.negotiated.lock() = (Some(Arc::new(terms)), preauth);
    }

    /// A session of this connection.
    ///
    /// # Errors
    /// `USER_SESSION_DELETED`.
    pub(crate) fn session(&self, id: u64) -> Result<Arc<Session>, NtStatus> {
        let found = self.sessions.lock().get(&id).cloned();
        found.filter(|session| !session.is_over()).ok_or(NtStatus::USER_SESSION_DELETED)
    }

    /// A session that this connection has, or had until it ended: its key signs the refusals of what comes for it.
    pub(crate) fn former_session(&self, id: u64) -> Option<Arc<Session>> {
        self.sessions.lock().get(&id).cloned()
    }

    pub(crate) fn add_session(&self, session: Arc<Session>) {
        let mut sessions = self.sessions.lock();
        // Another connection may have ended some.
        sessions.retain(|_, session| !session.is_over());
        sessions.insert(session.id, session);
    }

    pub(crate) fn remove_session(&self, id: u64) -> Option<Arc<Session>> {
        self.sessions.lock().remove(&id)
    }

    /// The number of sessions, those that are being set up among them.
    pub(crate) fn sessions(&self) -> usize {
        let sessions = self.sessions.lock().values().filter(|session| !session.is_over()).count();
        sessions + self.logons.lock().len()
    }

    /// Whether any file is open.
    pub(crate) fn is_in_use(&self) -> bool {
        self.sessions.lock().values().any(|session| session.has_opens())
    }

    /// Takes all sessions: the connection is over.
    pub(crate) fn take_sessions(&self) -> Vec<Arc<Session>> {
        std::mem::take(&mut *self.sessions.lock()).into_values().collect()
    }

    /// What shares are told of a user of this connection. It has proved who it is, so its port proves nothing more.
    pub(crate) fn presented(&self, client: ClientId, user: &User) -> Presented {
        Presented { identity: Some(user.credentials.clone()), address: self.peer.ip().to_canonical(), port: 0, client }
    }
}
