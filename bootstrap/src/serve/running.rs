//! A server from its start to its end.

use std::{
    io::{self, Write},
    sync::{Arc, Weak},
};

use dittofs_admin::Sources;
use dittofs_application::{Accounts, Recovery, Registry, Services, Volume};
use dittofs_backup_folder::FolderBackups;
use dittofs_memory::NoLockClients;
use dittofs_ports::LockClients;
use dittofs_system::LockClientFile;
use dittofs_transport::{Bounds, Services as Offered, Serving};
use tokio::sync::Notify;

use super::{
    Accepting, ServeError, accounts, bounds,
    fronts::Fronts,
    live::Live,
    protocols::{Bound, Served},
    reload::Reloader,
    socket::ControlSocket,
    volumes::{self, OpenShare, Opener},
    watch::Watching,
};
use crate::config::{Config, ShareConfig, StoreKinds, control_socket};

/// A server that listens.
pub(super) struct Running {
    reloader: Arc<Reloader>,
    socket: Option<ControlSocket>,
    watching: Watching,
}

/// The parts with which a server begins, beside its configuration.
struct Begun<'a> {
    kinds: &'a StoreKinds,
    fronts: &'a Fronts,
    bound: Bound,
    opener: Opener,
    reloader: Arc<Reloader>,
}

impl Running {
    /// Takes the ports, opens all shares, and only then listens.
    pub(super) async fn start(
        config: &Config,
        kinds: &StoreKinds,
        accepting: &Accepting,
        fronts: &Fronts,
        (reloader, hangup): (Arc<Reloader>, Arc<Notify>),
    ) -> Result<Running, ServeError> {
        if let Some(data) = &config.data {
            tracing::info!(data = %data.display(), "starting");
        }
        let bound = Bound::take(&config.adapters).await?;
        let watching = Watching::start(config, fronts).await?;
        let mut opener = Opener::start(config, kinds, accepting, &hangup).await?;
        let shares = opener.open_all(config, accepting, watching.watch()).await?;
        let volumes: Vec<Arc<Volume>> = shares.iter().map(|share| Arc::clone(&share.volume)).collect();
        let begun = Begun { kinds, fronts, bound, opener, reloader };
        match Running::listen(config, begun, shares, watching).await {
            Ok(running) => Ok(running),
            Err(error) => {
                // The log has any failure of the closing. The start fails with its own error.
                let _ = volumes::close(&volumes).await;
                Err(error)
            }
        }
    }

    async fn listen(
        config: &Config,
        Begun { kinds, fronts, bound, opener, reloader }: Begun<'_>,
        shares: Vec<OpenShare>,
        watching: Watching,
    ) -> Result<Running, ServeError> {
        let volumes = shares.iter().map(|share| Arc::clone(&share.volume)).collect();
        let registry = Arc::new(Registry::new(volumes));
        let recovery = recovery(config, registry.volumes(), &opener).await;
        let services = Services::new(registry);
        let services = Arc::new(services.writing_backups_to(Arc::new(FolderBackups)));
        let accounts = accounts::start(config, &opener).await?;
        let unnamed = opener.unnamed(config).await;
        reloader.show(config, &unnamed);
        // First the socket: whoever can mount the server can manage it, too.
        let listen = |data: &std::path::PathBuf| {
            let listening = ControlSocket::listen(data, services.clone(), accounts.clone(), reloader.clone());
            listening.map_err(|source| ServeError::Socket { socket: control_socket(data), source })
        };
        let socket = config.data.as_ref().map(listen).transpose()?;
        let bounds = bounds::of(&config.adapters.limits);
        let protocols = bound.start(&serving(config, (&services, &accounts, &recovery), fronts, &bounds))?;
        let (cache, disk) = (opener.cache.clone(), opener.disk.clone());
        let live = Live {
            config: config.clone(),
            kinds: kinds.clone(),
            opener,
            services: services.clone(),
            shares: shares.into_iter().map(Into::into).collect(),
            protocols,
            watch: Arc::clone(watching.watch()),
            unnamed,
            retired: Vec::new(),
        };
        live.show_meters();
        let protocols = live.protocols.statistics();
        watching.serves(Sources { statistics: services, protocols, bounds, cache, disk });
        config.notices().iter().for_each(|notice| tracing::warn!("{notice}"));
        config.shares.iter().for_each(|share| announce(share, &live.protocols));
        reloader.serves(live).await;
        Ok(Running { reloader, socket, watching })
    }

    /// Answers what is in flight, flushes and closes everything.
    pub(super) async fn stop(self) -> Result<Vec<Weak<Volume>>, ServeError> {
        self.watching.stops();
        if let Some(socket) = self.socket {
            socket.close().await;
        }
        let Some(live) = self.reloader.stops().await else { return Ok(Vec::new()) };
        live.protocols.drain().await;
        let volumes = live.services.volumes();
        let closed = volumes::close(&volumes).await;
        self.watching.close();
        closed.map(|()| volumes.iter().map(Arc::downgrade).chain(live.retired).collect())
    }
}

/// The clients that had locks; who has no data folder keeps nothing.
async fn recovery(config: &Config, volumes: Vec<Arc<Volume>>, opener: &Opener) -> Arc<Recovery> {
    let kept: Arc<dyn LockClients> = match config.lock_clients() {
        Some(path) => Arc::new(LockClientFile::new(path)),
        None => Arc::new(NoLockClients),
    };
    Arc::new(Recovery::begin(kept, volumes, config.grace, &*opener.machine.randomness).await)
}

/// Returns the parameters that protocols are given.
fn serving(
    config: &Config,
    (services, accounts, recovery): (&Arc<Services>, &Arc<Accounts>, &Arc<Recovery>),
    fronts: &Fronts,
    bounds: &Bounds,
) -> Serving {
    Serving {
        services: Offered {
            entry: services.clone(),
            admin: services.clone(),
            accounts: accounts.clone(),
            recovery: recovery.clone(),
        },
        bounds: bounds.clone(),
        fronts: fronts.handles(),
        idle: config.adapters.limits.idle,
        slow: config.log.slow,
    }
}

/// Says how clients reach a share.
pub(super) fn announce(ShareConfig { name, durability, .. }: &ShareConfig, protocols: &Served) {
    tracing::info!(share = %name, durability = durability.word(), "serving");
    let mut out = io::stdout().lock();
    for line in protocols.announce(name) {
        // Nobody may be reading.
        let _ = writeln!(out, "{line}");
    }
}
