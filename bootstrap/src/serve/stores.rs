//! The named stores: each is opened once, and shared by all shares that name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dittofs_ports::{ContentStore, MetadataStore};

use super::{Accepting, Cause, ServeError, sync_folders};
use crate::{
    config::{Config, Opening, ShareConfig, StoreConfig, StoreKind, StoreKinds, Stores, open_each_store},
    progress::Progress,
};

type Named<P> = BTreeMap<String, Arc<P>>;

/// Stores that are open.
pub(super) struct OpenStores {
    pub(super) metadata: Named<dyn MetadataStore>,
    pub(super) content: Named<dyn ContentStore>,
}

impl OpenStores {
    /// Opens all stores of a configuration. What is missing or damaged of one is given up where that is accepted for
    /// all of its shares.
    pub(super) async fn open(
        config: &Config,
        kinds: &StoreKinds,
        accepting: &Accepting,
    ) -> Result<OpenStores, ServeError> {
        let failed = |(store, source)| ServeError::Store { store, source };
        let opening = |store: &str, of: fn(&ShareConfig) -> &String| Opening {
            accept_loss: may_lose(store, of, config, &accepting.loss),
            ..opening(store)
        };
        let metadata =
            open_each_store(&config.metadata, &kinds.metadata, |store| opening(store, |of| &of.metadata_store));
        let metadata = metadata.await.map_err(failed)?;
        let content = open_each_store(&config.content, &kinds.content, |store| opening(store, |of| &of.content_store));
        let content = content.await.map_err(failed)?;
        sync_folders(&[&config.metadata, &config.content])?;
        Ok(OpenStores { metadata, content })
    }

    /// Opens the stores of a share that are not open yet, as a newer configuration describes them. `config` has them
    /// from then on.
    pub(super) async fn open_for(
        &mut self,
        share: &ShareConfig,
        (config, newer): (&mut Config, &Config),
        kinds: &StoreKinds,
    ) -> Result<(), Cause> {
        let metadata = (&mut self.metadata, &mut config.metadata);
        open_one(&share.metadata_store, metadata, &newer.metadata, &kinds.metadata).await?;
        let content = (&mut self.content, &mut config.content);
        open_one(&share.content_store, content, &newer.content, &kinds.content).await
    }

    /// Closes the stores that no share uses and that a newer configuration does not name, or describes otherwise.
    /// `config` is without them from then on.
    pub(super) async fn close_unused(&mut self, config: &mut Config, newer: &Config) {
        let shares = config.shares.clone();
        let is_used = |store: &str, of: fn(&ShareConfig) -> &String| shares.iter().any(|share| of(share) == store);
        let is_metadata = |name: &str| is_used(name, |of| &of.metadata_store);
        let metadata = take_out(&mut self.metadata, &mut config.metadata, &newer.metadata, is_metadata);
        let is_content = |name: &str| is_used(name, |of| &of.content_store);
        let content = take_out(&mut self.content, &mut config.content, &newer.content, is_content);
        // The end of a store closes it, which writes to its disk.
        if tokio::task::spawn_blocking(move || drop((metadata, content))).await.is_err() {
            tracing::error!("a store panicked when it was closed");
        }
    }
}

fn opening(store: &str) -> Opening {
    Opening { progress: Progress::shown(format!("checking the store `{store}`")), ..Opening::default() }
}

/// Checks whether a store may lose data. Its loss hits all of its shares, so all of them must have been named.
fn may_lose(store: &str, of: fn(&ShareConfig) -> &String, config: &Config, accept_loss: &BTreeSet<String>) -> bool {
    let mut concerned = config.shares.iter().filter(|share| of(share) == store).peekable();
    concerned.peek().is_some() && concerned.all(|share| accept_loss.contains(&share.name))
}

async fn open_one<P: ?Sized>(
    name: &str,
    (open, config): (&mut Named<P>, &mut Stores),
    newer: &Stores,
    kinds: &BTreeMap<String, StoreKind<P>>,
) -> Result<(), Cause> {
    let Some(store) = newer.get(name).filter(|_| !open.contains_key(name)) else { return Ok(()) };
    let one = Stores::from([(name.to_owned(), StoreConfig::clone(store))]);
    let failed = |(store, source)| ServeError::Store { store, source };
    let opened = open_each_store(&one, kinds, opening).await.map_err(failed)?;
    sync_folders(&[&one])?;
    open.extend(opened);
    config.extend(one);
    Ok(())
}

fn take_out<P: ?Sized>(
    open: &mut Named<P>,
    config: &mut Stores,
    newer: &Stores,
    is_used: impl Fn(&str) -> bool,
) -> Vec<Arc<P>> {
    let stays = |name: &String| is_used(name) || config.get(name) == newer.get(name);
    let gone: Vec<String> = open.keys().filter(|name| !stays(name)).cloned().collect();
    gone.iter().for_each(|name| drop(config.remove(name)));
    gone.iter().filter_map(|name| open.remove(name)).collect()
}
