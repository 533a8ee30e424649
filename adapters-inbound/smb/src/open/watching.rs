//! The watch of an open directory, and the requests that wait for its changes, one behind the other.

use std::sync::Arc;

use dittofs_ports::{ChangeListener, Watch, WatchReply};
use dittofs_smb_wire::NtStatus;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::{failure::Failure, holdings::Held};

/// The watch of an open. Its first request begins it, and with that says for the life of the open what it is for.
#[derive(Default)]
pub(crate) struct Watching {
    state: Mutex<State>,
    /// Held by the request that gets the next changes.
    turn: Mutex<()>,
    signal: Arc<Signal>,
}

#[derive(Default)]
enum State {
    #[default]
    NotBegun,
    Begun {
        watch: Arc<dyn Watch>,
        /// The room that its changes may take.
        _room: Held,
    },
    /// The open is closed.
    Ended,
}

/// There may be changes to take.
#[derive(Default)]
struct Signal(Notify);

/// The turn of a request to take changes.
pub(crate) type Turn<'w> = MutexGuard<'w, ()>;

impl ChangeListener for Signal {
    fn changed(&self) {
        self.0.notify_one();
    }
}

impl Watching {
    /// The watch, which `begin` begins if it is the first request.
    ///
    /// # Errors
    /// `FILE_CLOSED`, and those of `begin`.
    pub(crate) async fn begin<F>(
        &self,
        begin: impl FnOnce(Arc<dyn ChangeListener>) -> F,
    ) -> Result<Arc<dyn Watch>, Failure>
    where
        F: Future<Output = Result<(Arc<dyn Watch>, Held), Failure>>,
    {
        let mut state = self.state.lock().await;
        match &*state {
            State::Begun { watch, .. } => Ok(Arc::clone(watch)),
            State::Ended => Err(NtStatus::FILE_CLOSED.into()),
            State::NotBegun => {
                let (watch, _room) = begin(Arc::clone(&self.signal) as Arc<dyn ChangeListener>).await?;
                *state = State::Begun { watch: Arc::clone(&watch), _room };
                Ok(watch)
            }
        }
    }

    /// Ends it: the open is closed.
    pub(crate) async fn end(&self) {
        *self.state.lock().await = State::Ended;
    }

    /// The turn, if no other request waits.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        self.turn.try_lock().ok()
    }

    /// Waits for changes, behind the requests that came before. Nothing is taken if this is given up.
    pub(crate) async fn changes(&self, turn: Option<Turn<'_>>, watch: &dyn Watch) -> WatchReply {
        let _turn = match turn {
            Some(turn) => turn,
            None => self.turn.lock().await,
        };
        loop {
            match watch.take() {
                WatchReply::Nothing => self.signal.0.notified().await,
                reply => return reply,
            }
        }
    }
}

#[cfg(test)]
mod tests;
