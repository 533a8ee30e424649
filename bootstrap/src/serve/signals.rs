//! The requests that signals make to the server.

use std::{io, sync::Arc};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::reload::Reloader;

/// The signals that end the server.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Signals> {
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the next one.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// From now on SIGHUP never ends the process. Each one has the configuration read again.
pub(super) fn follow_hangups(reloader: &Arc<Reloader>) -> io::Result<()> {
    let mut hangups = signal(SignalKind::hangup())?;
    let reloader = Arc::clone(reloader);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tracing::info!(
                "SIGHUP: the configuration and the key files are read again, and the audit file is opened again"
            );
            reloader.hung_up();
        }
    });
    Ok(())
}
