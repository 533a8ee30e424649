//! Runs the server: stores, volumes, services, adapters; until it is told to stop.

mod data;
mod fronts;
mod nfs;
mod volumes;

use std::{io, sync::Arc};

use dittofs_application::{Registry, Services, Volume};
use dittofs_domain::FsError;
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::config::{Config, StoreKinds};
use data::DataFolder;
use fronts::Fronts;
use nfs::NfsAdapter;

/// Why the server could not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A thread or a runtime could not be made.
    #[error("the server's threads can't be started: {0}")]
    Threads(#[source] io::Error),
    /// An address can't be listened on.
    #[error("can't listen on {address} for {what}: {source}; name another address by {option}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What for.
        what: &'static str,
        /// Where it is configured.
        option: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A store can't be opened.
    #[error("store `{store}` can't be opened: {source}")]
    Store {
        /// Its configured name.
        store: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A share can't be opened.
    #[error("share `{share}` can't be opened: {source}")]
    Share {
        /// Its name.
        share: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The data folder can't be used.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// The last flush failed.
    #[error("what was written last could not be flushed: {0}")]
    Flush(#[source] FsError),
}

/// Serves every share of the configuration until the process gets SIGTERM or SIGINT, then drains: requests in flight
/// are answered, what is unflushed is flushed.
///
/// # Errors
/// What kept the server from starting, or from stopping cleanly.
pub fn serve(config: &Config, kinds: &StoreKinds) -> Result<(), ServeError> {
    let _data = config.data.as_deref().map(DataFolder::lock).transpose()?;
    let back = Builder::new_multi_thread().worker_threads(2).thread_name("back").enable_all().build();
    let back = back.map_err(ServeError::Threads)?;
    let fronts = Fronts::start().map_err(ServeError::Threads)?;
    let served = back.block_on(serve_until_told(config, kinds, &fronts));
    fronts.stop();
    served
}

async fn serve_until_told(config: &Config, kinds: &StoreKinds, fronts: &Fronts) -> Result<(), ServeError> {
    // Before anything else, so that a signal during the start is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Threads)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Threads)?;
    let volumes = volumes::open(config, kinds).await?;
    let services = Arc::new(Services::new(Arc::new(Registry::new(volumes.clone()))));
    let nfs = NfsAdapter::start(&config.adapters.nfs, services, fronts).await?;
    announce(config, &nfs);
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    nfs.drain(config.adapters.nfs.limits.drain).await;
    close(&volumes).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Says how to mount, and what is lost when the server stops.
fn announce(config: &Config, nfs: &NfsAdapter) {
    let address = nfs.address();
    let (host, port) = (address.ip(), address.port());
    for share in &config.shares {
        tracing::info!(share = %share.name, durability = share.durability.word(), "serving");
        println!(
            "mount -t nfs -o vers=3,tcp,port={port},mountport={port},nolock {host}:{} /mnt",
            share.name,
            host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() },
        );
    }
    for notice in config.notices() {
        tracing::warn!("{notice}");
    }
}

async fn close(volumes: &[Arc<Volume>]) -> Result<(), ServeError> {
    for volume in volumes {
        volume.close().await.map_err(ServeError::Flush)?;
    }
    Ok(())
}
