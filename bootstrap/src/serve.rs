//! Runs the server: stores, volumes, services, adapters; until it is to stop.

mod accounts;
mod bounds;
mod data;
mod fronts;
mod holder;
mod identity;
mod journals;
mod keys;
mod leftovers;
mod live;
mod paths;
mod protocols;
mod quota;
mod refusal;
mod reload;
mod room;
mod running;
mod signals;
mod socket;
mod stores;
mod volumes;
mod watch;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Weak},
};

use dittofs_application::Volume;
use dittofs_domain::FsError;
use dittofs_transport::ListenError;
use tokio::{runtime::Builder, sync::Notify};

use crate::{
    config::{Config, StoreKinds},
    machine,
};
pub(crate) use accounts::{AccountsError, open as open_accounts};
pub(crate) use bounds::memory as memory_of_requests;
pub(crate) use data::{DataError, DataFolder};
use fronts::Fronts;
pub(crate) use holder::{may_live, of as holder_of};
pub(crate) use journals::has_files as has_journal;
pub(crate) use keys::Keys;
pub(crate) use leftovers::{Leftover, Places, PlacesError};
pub(crate) use quota::bytes_max;
use reload::Reloader;
use running::Running;
use signals::{Signals, follow_hangups};
pub(crate) use volumes::{machine as machine_of_this_process, sync_folders};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the server could not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A thread or a runtime could not be made.
    #[error("the server's threads can't be started: {0}")]
    Threads(#[source] io::Error),
    /// An address can't be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A store can't be opened.
    #[error("store `{store}` can't be opened: {source}")]
    Store {
        /// Its configured name.
        store: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder of the disk cache is not one, or not ours.
    #[error("{0} (key cache.disk.path)")]
    DiskCache(#[source] dittofs_block_cache::DiskCacheError),
    /// A share can't be opened.
    #[error("share `{share}` can't be opened: {source}")]
    Share {
        /// Its name.
        share: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The users are not where they are looked for.
    #[error("{0}")]
    Accounts(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The data folder can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Something is accepted for a share that there is not.
    #[error("{option} {name}: there is no such share; known: {known}")]
    UnknownShare {
        /// The option.
        option: &'static str,
        /// The name that was given.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The local socket can't be made.
    #[error("can't listen on the local socket {}: {source}; name another data folder by --data", socket.display())]
    Socket {
        /// The socket.
        socket: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The last flush failed.
    #[error(
        "share `{share}` could not be closed cleanly: {source}; what its clients take for safe is in its \
         journal if it has one, and the next start takes it from there"
    )]
    Close {
        /// The share.
        share: String,
        /// Why.
        source: FsError,
    },
}

/// Serves every share of the configuration until the process gets SIGTERM or SIGINT. Then it drains: it answers
/// requests in flight, flushes unflushed data, and closes all stores. A second signal ends the process at once.
///
/// # Errors
/// Reports what kept the server from starting, or from stopping cleanly.
pub fn serve(config: &Config, kinds: &StoreKinds) -> Result<(), ServeError> {
    serve_accepting(config, kinds, &Accepting::default())
}

/// The risks that somebody has accepted for the start of the server: names of shares.
#[derive(Clone, Debug, Default)]
pub struct Accepting {
    /// The shares whose missing, old or damaged data are given up.
    pub loss: BTreeSet<String>,
    /// The shares whose objects are taken though another server may hold them.
    pub take_over: BTreeSet<String>,
}

/// The same, accepting something.
///
/// # Errors
/// As [`serve`].
pub fn serve_accepting(config: &Config, kinds: &StoreKinds, accepting: &Accepting) -> Result<(), ServeError> {
    serve_reloading(config, kinds, accepting, Arc::new(|| Ok(None)))
}

/// Reads the configuration again; none where there is none to read, or what is wrong with it. It may block. Called at
/// each SIGHUP and each `dittofs reload`; the server takes what it can of what comes.
pub type Reload = Arc<dyn Fn() -> Result<Option<Config>, String> + Send + Sync>;

/// The same, with a configuration that can be read again.
///
/// # Errors
/// As [`serve`].
pub fn serve_reloading(
    config: &Config,
    kinds: &StoreKinds,
    accepting: &Accepting,
    reload: Reload,
) -> Result<(), ServeError> {
    Locked::take(config, accepting)?.serve(kinds, reload)
}

/// A data folder that no other server uses, and what is to be served from it. Only now may something be written there.
#[derive(Debug)]
pub struct Locked<'a> {
    config: &'a Config,
    accepting: &'a Accepting,
    _data: Option<DataFolder>,
}

impl<'a> Locked<'a> {
    /// Locks the data folder, and makes it if it is not there.
    ///
    /// # Errors
    /// That another server has it, or that it is somebody else's: then it is left as it is.
    pub fn take(config: &'a Config, accepting: &'a Accepting) -> Result<Locked<'a>, ServeError> {
        let names: Vec<&str> = config.shares.iter().map(|share| share.name.as_str()).collect();
        for (option, given) in [("--accept-loss", &accepting.loss), ("--take-over", &accepting.take_over)] {
            if let Some(name) = given.iter().find(|name| !names.contains(&name.as_str())) {
                return Err(ServeError::UnknownShare { option, name: name.clone(), known: names.join(", ") });
            }
        }
        Ok(Locked { config, accepting, _data: DataFolder::lock_of(config)? })
    }

    /// Serves as [`serve_reloading`] does.
    ///
    /// # Errors
    /// As [`serve`].
    pub fn serve(self, kinds: &StoreKinds, reload: Reload) -> Result<(), ServeError> {
        let Locked { config, accepting, _data } = self;
        machine::raise_descriptors();
        machine::leave_huge_pages();
        let back = Builder::new_multi_thread().worker_threads(2).thread_name("back").enable_all().build();
        let back = back.map_err(ServeError::Threads)?;
        let fronts = Fronts::start().map_err(ServeError::Threads)?;
        let served = back.block_on(serve_until_stopped(config, kinds, accepting, &fronts, reload));
        fronts.stop();
        // Waits for what still runs there. Whatever holds a store is gone then, and each store is closed by its end.
        drop(back);
        let volumes = served?;
        if volumes.iter().any(|volume| volume.strong_count() > 0) {
            tracing::error!(
                "a share is still in use: its stores could not be closed, and are checked at the next start"
            );
        }
        tracing::info!("stopped");
        Ok(())
    }
}

async fn serve_until_stopped(
    config: &Config,
    kinds: &StoreKinds,
    accepting: &Accepting,
    fronts: &Fronts,
    reload: Reload,
) -> Result<Vec<Weak<Volume>>, ServeError> {
    // Before anything else, so that a signal during the start is not lost.
    let mut signals = Signals::new().map_err(ServeError::Threads)?;
    let hangup = Arc::new(Notify::new());
    let reloader = Reloader::new(reload, Arc::clone(&hangup));
    follow_hangups(&reloader).map_err(ServeError::Threads)?;
    let running = tokio::select! {
        running = Running::start(config, kinds, accepting, fronts, (reloader, hangup)) => running?,
        name = signals.next() => end_at_once(name, "the start"),
    };
    let name = signals.next().await;
    tracing::info!("{name}: draining");
    tokio::select! {
        stopped = running.stop() => stopped,
        name = signals.next() => end_at_once(name, "the drain"),
    }
}

/// Ends the process at once. The promises hold after a crash as well, so this is safe, if not polite.
fn end_at_once(signal: &str, during: &str) -> ! {
    tracing::warn!("{signal} during {during}: ending at once; the next start recovers");
    std::process::exit(1)
}
