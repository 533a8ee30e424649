//! CREATEs that a client may send again, as it has not seen the answer (MS-SMB2, 3.3.5.9.10).

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use dittofs_smb_wire::{NtStatus, create::CreateAction, identifiers::Guid};
use parking_lot::Mutex;

use crate::open::Open;

/// A client's GUID, and its identifier of a CREATE.
pub(crate) type Key = (Guid, Guid);

/// So many are kept before those are looked for that are over.
const SWEEP_AT: usize = 64;

/// A CREATE with an identifier.
enum Made {
    /// It is being carried out.
    Pending,
    /// It has opened this, in this session.
    Open { open: Weak<Open>, session: u64, action: CreateAction },
}

#[derive(Default)]
struct State {
    made: HashMap<Key, Made>,
    sweep_at: usize,
}

/// The CREATEs with identifiers whose opens there are.
#[derive(Default)]
pub(crate) struct Replays(Mutex<State>);

/// The meaning of an identifier.
pub(crate) enum Begun<'r> {
    /// A new CREATE. It is forgotten unless it is completed.
    New(Pending<'r>),
    /// One that was carried out before.
    Again(Arc<Open>, CreateAction),
}

/// A CREATE that is being carried out.
pub(crate) struct Pending<'r> {
    replays: &'r Replays,
    key: Key,
    completed: bool,
}

impl Replays {
    /// Looks an identifier up, for a session; `is_replay` if the client says that it sends it again. What has no
    /// session any more (`is_detached`) is no answer.
    ///
    /// # Errors
    /// `FILE_NOT_AVAILABLE` while it is being carried out; `DUPLICATE_OBJECTID` if it stands for an open already.
    pub(crate) fn begin(
        &self,
        key: Key,
        (session, is_replay): (u64, bool),
        is_detached: impl FnOnce(&Open) -> bool,
    ) -> Result<Begun<'_>, NtStatus> {
        let mut state = self.0.lock();
        match state.made.get(&key) {
            Some(Made::Pending) => return Err(NtStatus::FILE_NOT_AVAILABLE),
            Some(Made::Open { open, session: of, action }) => {
                if let Some(open) = open.upgrade().filter(|open| !is_detached(open)) {
                    return if is_replay && *of == session {
                        Ok(Begun::Again(open, *action))
                    } else {
                        Err(NtStatus::DUPLICATE_OBJECTID)
                    };
                }
            }
            None => {}
        }
        state.sweep();
        state.made.insert(key, Made::Pending);
        Ok(Begun::New(Pending { replays: self, key, completed: false }))
    }

    /// A CREATE is not sent again that has opened this.
    pub(crate) fn forget_open(&self, key: Key, used: &Arc<Open>) {
        let mut state = self.0.lock();
        if let Some(Made::Open { open, .. }) = state.made.get(&key)
            && std::ptr::eq(open.as_ptr(), Arc::as_ptr(used))
        {
            state.made.remove(&key);
        }
    }
}

impl Pending<'_> {
    /// It has opened this.
    pub(crate) fn complete(mut self, open: &Arc<Open>, session: u64, action: CreateAction) {
        self.completed = true;
        let made = Made::Open { open: Arc::downgrade(open), session, action };
        self.replays.0.lock().made.insert(self.key, made);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.completed {
            self.replays.0.lock().made.remove(&self.key);
        }
    }
}

impl State {
    /// Forgets what is closed, now and then.
    fn sweep(&mut self) {
        if self.made.len() >= self.sweep_at.max(SWEEP_AT) {
            self.made.retain(|_, made| match made {
                Made::Pending => true,
                Made::Open { open, .. } => open.strong_count() > 0,
            });
            self.sweep_at = 2 * self.made.len();
        }
    }
}

#[cfg(test)]
mod tests;
