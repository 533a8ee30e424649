//! The monitoring endpoint, from before the shares are opened until the server has stopped.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use dittofs_admin::{Sources, Watch, WatchedThread, serve_watch};
use dittofs_transport::ListenError;
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

use super::{ServeError, fronts::Fronts};
use crate::config::Config;

/// A listener for monitoring, if one is wanted, on a thread of its own: it answers however busy all others are.
pub(super) struct Watching {
    watch: Arc<Watch>,
    thread: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

impl Watching {
    /// Begins before anything is opened, so that a start that takes long can be seen.
    pub(super) async fn start(config: &Config, fronts: &Fronts) -> Result<Watching, ServeError> {
        let front = |(number, runtime): (usize, Handle)| WatchedThread { name: format!("front-{number}"), runtime };
        let mut threads: Vec<WatchedThread> = fronts.handles().into_iter().enumerate().map(front).collect();
        threads.push(WatchedThread { name: "back".to_owned(), runtime: Handle::current() });
        let watch = Watch::new(threads, config.shares.iter().map(|share| share.name.clone()).collect());
        let thread = match config.adapters.admin.listen {
            Some(address) => Some(serve(listen(address)?, Arc::clone(&watch)).map_err(ServeError::Threads)?),
            None => None,
        };
        Ok(Watching { watch, thread })
    }

    /// Returns the watch, to which the opening of shares is reported.
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// Notes that the server serves.
    pub(super) fn serves(&self, sources: Sources) {
        self.watch.serves(sources);
    }

    /// The server begins to stop.
    pub(super) fn stops(&self) {
        self.watch.stops();
    }

    /// Stops listening, and lets go of all that was shown.
    pub(super) fn close(self) {
        if let Some((stop, thread)) = self.thread {
            // It fails only where the thread has ended by itself.
            let _ = stop.send(());
            if thread.join().is_err() {
                tracing::error!("the thread of monitoring panicked");
            }
        }
    }
}

fn serve(listener: TcpListener, watch: Arc<Watch>) -> io::Result<(oneshot::Sender<()>, thread::JoinHandle<()>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let thread = thread::Builder::new().name("watch".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = serve_watch(listener, watch) => {}
                // Ends too where the sender is gone.
                _ = stopped => {}
            }
        });
    })?;
    Ok((stop, thread))
}

fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ListenError { address, what: "monitoring", option: "adapters.admin.listen", source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!("monitoring: http://{address}/metrics");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "metrics and names of shares can be read by whoever reaches this address");
    }
    Ok(listener)
}
