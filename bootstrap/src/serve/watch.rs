//! What monitoring is shown, from before the shares are opened until the server has stopped.

use std::{net::SocketAddr, sync::Arc};

use dittofs_admin::{Sources, Watch, WatchedThread, serve_watch};
use tokio::{net::TcpListener, runtime::Handle, task::JoinHandle};

use super::{ServeError, fronts::Fronts};
use crate::config::Config;

/// A listener for monitoring, if one is wanted.
pub(super) struct Watching {
    watch: Arc<Watch>,
    task: Option<JoinHandle<()>>,
}

impl Watching {
    /// Begins before anything is opened, so that a start that takes long can be seen.
    pub(super) async fn start(config: &Config, fronts: &Fronts) -> Result<Watching, ServeError> {
        let front = |(number, runtime): (usize, Handle)| WatchedThread { name: format!("front-{number}"), runtime };
        let mut threads: Vec<WatchedThread> = fronts.handles().into_iter().enumerate().map(front).collect();
        threads.push(WatchedThread { name: "back".to_owned(), runtime: Handle::current() });
        let watch = Watch::new(threads, config.shares.iter().map(|share| share.name.clone()).collect());
        let task = match config.adapters.admin.listen {
            Some(address) => Some(tokio::spawn(serve_watch(listen(address).await?, Arc::clone(&watch)))),
            None => None,
        };
        Ok(Watching { watch, task })
    }

    /// What to tell about shares that open.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The server serves.
    pub(super) fn serves(&self, sources: Sources) {
        self.watch.serves(sources);
    }

    /// The server begins to stop.
    pub(super) fn stops(&self) {
        self.watch.stops();
    }

    /// Stops listening, and lets go of all that was shown.
    pub(super) async fn close(self) {
        if let Some(task) = self.task {
            task.abort();
            // It was told to end, so how it ends is no news.
            let _ = task.await;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { address, what: "monitoring", option: "adapters.admin.listen", source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!("monitoring: http://{address}/metrics");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "metrics and names of shares can be read by whoever reaches this address");
    }
    Ok(listener)
}
