//! Reads the configuration again while the server runs, and takes what can be taken.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use dittofs_admin::{Configured, ReloadView, ShareFacts, UnnamedView};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Reload, live::Live};
use crate::{config::Config, facts};

/// A server whose configuration can be read again, from before it serves until after it has stopped.
pub(super) struct Reloader {
    read: Reload,
    hangup: Arc<Notify>,
    /// Held over a whole reload, so that they come one after the other.
    state: tokio::sync::Mutex<State>,
    shown: Mutex<Shown>,
}

enum State {
    /// Whether it was asked for meanwhile.
    Starting(bool),
    Live(Box<Live>),
    Stopped,
}

/// The facts that are shown about the served shares.
#[derive(Default)]
struct Shown {
    facts: Vec<ShareFacts>,
    unnamed: Vec<UnnamedView>,
}

impl Reloader {
    /// Of a server that starts. Key files are read again when `hangup` says so.
    pub(super) fn new(read: Reload, hangup: Arc<Notify>) -> Arc<Reloader> {
        let state = tokio::sync::Mutex::new(State::Starting(false));
        Arc::new(Reloader { read, hangup, state, shown: Mutex::default() })
    }

    /// Sets the facts that are shown until the next reload.
    pub(super) fn show(&self, config: &Config, unnamed: &[UnnamedView]) {
        self.show_facts(facts::of(config), unnamed);
    }

    /// The same while protocols are served.
    fn show_live(&self, live: &Live) {
        let mut facts = facts::of(&live.config);
        for share in &mut facts {
            share.mounts = live.protocols.announce(&share.name);
        }
        self.show_facts(facts, &live.unnamed);
    }

    fn show_facts(&self, facts: Vec<ShareFacts>, unnamed: &[UnnamedView]) {
        *self.shown.lock() = Shown { facts, unnamed: unnamed.to_vec() };
    }

    /// Notes that the server serves. A reload that was asked for during its start happens now.
    pub(super) async fn serves(self: &Arc<Self>, live: Live) {
        self.show_live(&live);
        let before = std::mem::replace(&mut *self.state.lock().await, State::Live(Box::new(live)));
        if matches!(before, State::Starting(true)) {
            self.hung_up();
        }
    }

    /// The server begins to stop: what it was, once a reload that is under way has ended.
    pub(super) async fn stops(&self) -> Option<Live> {
        match std::mem::replace(&mut *self.state.lock().await, State::Stopped) {
            State::Live(live) => Some(*live),
            State::Starting(_) | State::Stopped => None,
        }
    }

    /// Reloads, and logs the outcome.
    pub(super) fn hung_up(self: &Arc<Self>) {
        let reloader = Arc::clone(self);
        tokio::spawn(async move {
            // The log has what went wrong.
            let _ = reloader.apply().await;
        });
    }

    async fn apply(&self) -> Result<ReloadView, String> {
        let mut state = self.state.lock().await;
        self.hangup.notify_waiters();
        let read = Arc::clone(&self.read);
        // It reads files.
        let newer =
            tokio::task::spawn_blocking(move || read()).await.unwrap_or_else(|stopped| Err(stopped.to_string()));
        let newer = newer.inspect_err(|error| {
            tracing::error!(%error, "the configuration can't be read again: all stays as it is");
        })?;
        let view = match (&mut *state, newer) {
            (State::Starting(again), _) => {
                *again = true;
                return Err("the server is starting: what has changed is taken when it serves".to_owned());
            }
            (State::Stopped, _) => return Err("the server is stopping".to_owned()),
            (State::Live(_), None) => ReloadView::default(),
            (State::Live(live), Some(newer)) => {
                let view = live.take(newer).await;
                self.show_live(live);
                view
            }
        };
        log(&view);
        Ok(view)
    }
}

fn log(ReloadView { applied, restart, failed }: &ReloadView) {
    if !applied.is_empty() {
        tracing::info!(what = %applied.join(", "), "changes of the configuration were taken");
    }
    let keys: BTreeSet<&str> = restart.iter().map(String::as_str).collect();
    if !keys.is_empty() {
        let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
        tracing::warn!(%keys, "the configuration has changed, and this needs a restart");
    }
    for error in failed {
        tracing::error!(%error, "a change of the configuration could not be taken");
    }
}

#[async_trait]
impl Configured for Reloader {
    fn facts(&self) -> Vec<ShareFacts> {
        self.shown.lock().facts.clone()
    }

    fn unnamed(&self) -> Vec<UnnamedView> {
        self.shown.lock().unnamed.clone()
    }

    async fn reload(self: Arc<Self>) -> Result<ReloadView, String> {
        tracing::info!("the configuration, key files and the audit file are read again, as a command asked for it");
        // Whoever asked may go away; a share must not be left half open.
        tokio::spawn(async move { self.apply().await }).await.unwrap_or_else(|stopped| Err(stopped.to_string()))
    }
}
