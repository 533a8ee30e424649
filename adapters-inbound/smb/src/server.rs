//! The state that all connections share (MS-SMB2, 3.3.1.5).

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use dittofs_smb_security::ntlm::TargetNames;
use dittofs_smb_wire::{filetime::FileTime, identifiers::Guid};
use dittofs_transport::{Services, Serving};
use parking_lot::Mutex;

use crate::{
    accounts::Accounts, audit::Writes, below::OpensBelow, caching::Caching, client::Clients, counts::Counts,
    durable::DetachedOpens, holdings::Holdings, locking::LockWaiters, protocol::SmbOptions, replays::Replays,
    session::Session,
};

/// The server.
pub(crate) struct Server {
    pub(crate) services: Services,
    pub(crate) accounts: Accounts,
    pub(crate) options: SmbOptions,
    pub(crate) guid: Guid,
    pub(crate) names: Arc<TargetNames>,
    pub(crate) counts: Counts,
    /// A request that takes longer is logged; none is if absent.
    pub(crate) slow: Option<Duration>,
    /// The writes that are in the record of who changed what.
    pub(crate) recorded_writes: Writes,
    /// How long a connection without open files may carry nothing.
    pub(crate) idle: Duration,
    /// What users have open.
    pub(crate) holdings: Holdings,
    /// Requests for locks that stand in line.
    pub(crate) lock_waiters: LockWaiters,
    pub(crate) opens_below: Arc<OpensBelow>,
    pub(crate) clients: Clients,
    /// Who has oplocks and leases.
    pub(crate) caching: Caching,
    /// Opens that wait for their clients to come back.
    pub(crate) detached: DetachedOpens,
    /// CREATEs that clients may send again.
    pub(crate) replays: Replays,
    next_open: AtomicU64,
    /// All sessions, of whatever connection: a client that comes back names its former one.
    sessions: Mutex<HashMap<u64, Weak<Session>>>,
    next_session: AtomicU64,
}

impl Server {
    pub(crate) fn new(serving: &Serving, options: SmbOptions, names: Arc<TargetNames>) -> Server {
        Server {
            services: serving.services.clone(),
            accounts: Accounts::new(Arc::clone(&serving.services.accounts)),
            options,
            guid: Guid(random_bytes()),
            names,
            counts: Counts::new(serving.fronts.len()),
            slow: serving.slow,
            recorded_writes: Writes::default(),
            idle: serving.idle,
            lock_waiters: LockWaiters::default(),
            holdings: Holdings::default(),
            opens_below: Arc::default(),
            clients: Clients::default(),
            caching: Caching::default(),
            detached: DetachedOpens::default(),
            replays: Replays::default(),
            next_open: AtomicU64::new(u64::from(u32::from_le_bytes(random_bytes())) << 16),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1 + u64::from(u32::from_le_bytes(random_bytes()) >> 1)),
        }
    }

    /// A number for a session, which no other one ever had. Some clients keep 32 bits of it, and two thousand million
    /// sessions have no more.
    pub(crate) fn new_session_id(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// A number for an open, which no other one ever had: what persists of its id.
    pub(crate) fn new_open_id(&self) -> u64 {
        self.next_open.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn note_session(&self, session: &Arc<Session>) {
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, session| session.strong_count() > 0);
        sessions.insert(session.id, Arc::downgrade(session));
    }

    /// A session of any connection.
    pub(crate) fn find_session(&self, id: u64) -> Option<Arc<Session>> {
        self.sessions.lock().get(&id).and_then(Weak::upgrade)
    }

    /// All sessions.
    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().values().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn forget_session(&self, id: u64) {
        self.sessions.lock().remove(&id);
    }
}

/// Now, as clients are told.
pub(crate) fn now() -> FileTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    FileTime::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}

/// Random bytes, for what must not be guessed.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness nothing here is safe; the kernel has some from the first second of a machine on.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system has no random numbers");
    }
    bytes
}
