//! Runs the server.

use std::sync::Arc;

use super::{Failure, file_of, load_file};
use crate::cli::ServeOptions;
use crate::config::{Config, StoreKinds};
use crate::{facts, logging, serve};

/// Serves until it is told to stop.
pub(super) fn run(options: ServeOptions) -> Result<(), Failure> {
    let file = file_of(&options.source)?;
    let mut config = load_file(&options.source, file.as_deref())?;
    if let Some(listen) = options.nfs {
        config.adapters.nfs.listen = listen;
    }
    if options.insecure_ports {
        config.shares.iter_mut().for_each(|share| share.secure_ports = false);
    }
    // What clients keep private must not be open to every user of this machine, in files of whatever store.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let logging = logging::init(&config.log)?;
    let read = file.as_deref().map_or("none: the defaults hold".to_owned(), |file| file.display().to_string());
    tell(&config, &read);
    let accepting = serve::Accepting {
        loss: options.accept_loss.into_iter().collect(),
        take_over: options.take_over.into_iter().collect(),
    };
    let reload = {
        let (logging, source) = (logging.clone(), options.source);
        move || match load_file(&source, file.as_deref()) {
            Ok(config) => logging.reload(&config.log),
            Err(error) => tracing::error!(%error, "the configuration can't be read again: all stays as it is"),
        }
    };
    let served = serve::serve_reloading(&config, &StoreKinds::built_in(), &accepting, Arc::new(reload));
    logging.finish();
    Ok(served?)
}

/// What runs, and as what: the first question whenever something is wrong.
fn tell(config: &Config, file: &str) {
    let (journal, cache) = (&config.journal, &config.cache);
    let data = config.data.as_ref().map_or("none".to_owned(), |data| data.display().to_string());
    let disk = cache.disk.as_ref().map_or("off".to_owned(), |disk| format!("{} in {}", disk.size, disk.path.display()));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        configuration = %file,
        %data,
        journal = %journal.size,
        cache = %cache.memory,
        readahead = %cache.readahead,
        disk_cache = %disk,
        log = %config.log.levels,
        "dittofs",
    );
    tracing::info!(nfs = ?config.adapters.nfs, admin = ?config.adapters.admin.listen, "adapters");
    for share in facts::of(config) {
        tracing::info!(
            share = %share.name,
            metadata = %share.metadata_store,
            content = %share.content_store,
            journal = share.journal.as_deref().unwrap_or("none"),
            durability = %share.durability,
            compression = %share.compression,
            encryption = %share.encryption,
            clients = %share.clients.join(" "),
            squash = %share.squash,
            read_only = share.read_only,
            "configured",
        );
    }
}
