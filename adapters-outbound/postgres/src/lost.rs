//! Sessions of the database whose answer did not come. What was sent there may still be carried out, until they end.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

use crate::connection::SessionId;

/// The sessions. There are no more than connections were cut off since the database could last be asked.
#[derive(Debug, Default)]
pub(crate) struct LostSessions {
    /// Whether there may be any: asked for each view of an operation.
    any: AtomicBool,
    sessions: Mutex<HashSet<SessionId>>,
}

impl LostSessions {
    pub(crate) fn note(&self, session: SessionId) {
        let mut sessions = self.sessions.lock();
        sessions.insert(session);
        self.any.store(true, Ordering::Release);
    }

    /// Those that are not known to have ended; none if there are none.
    pub(crate) fn sessions(&self) -> Option<Vec<SessionId>> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let sessions = self.sessions.lock();
        (!sessions.is_empty()).then(|| sessions.iter().copied().collect())
    }

    /// These have ended.
    pub(crate) fn forget(&self, ended: &[SessionId]) {
        let mut sessions = self.sessions.lock();
        ended.iter().for_each(|session| {
            sessions.remove(session);
        });
        self.any.store(!sessions.is_empty(), Ordering::Release);
    }
}
