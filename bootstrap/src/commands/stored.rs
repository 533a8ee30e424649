//! The contents of the metadata stores, read without a server.

use std::sync::Arc;

use dittofs_admin::{Client, ClientError, ShareFacts, ShareView, SharesView, UnnamedView};
use dittofs_ports::{MetadataError, MetadataStore, ShareRecord, Survives};

use crate::config::{Config, Opening, StoreConfig, StoreError, StoreKinds, Stores, control_socket, open_each_store};
use crate::facts;
use crate::progress::Progress;
use crate::serve::{DataError, DataFolder, ServeError, sync_folders};

/// Why the stores can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoredError {
    #[error("{0}; while a server starts or stops, wait for it")]
    Data(#[from] DataError),
    #[error(transparent)]
    Folder(#[from] ServeError),
    #[error("the metadata store `{store}` can't be opened: {source}")]
    Store { store: String, source: StoreError },
    #[error("the metadata store `{store}` can't be read: {source}")]
    Read { store: String, source: MetadataError },
}

/// Whether a server runs on the data folder, by its control socket.
pub(super) async fn is_running(config: &Config) -> Result<bool, ClientError> {
    let Some(data) = &config.data else { return Ok(false) };
    match Client::new(&control_socket(data)).shares().await {
        Ok(_) => Ok(true),
        Err(ClientError::NotRunning(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A metadata store, and the shares in it.
pub(super) struct Stored {
    /// Its configured name.
    pub(super) name: String,
    pub(super) store: Arc<dyn MetadataStore>,
    pub(super) shares: Vec<ShareRecord>,
}

/// The stores that are there already, for as long as the data folder is locked. Makes none.
pub(super) struct StoredShares {
    pub(super) stores: Vec<Stored>,
    _data: Option<DataFolder>,
}

impl StoredShares {
    pub(super) async fn open(config: &Config, kinds: &StoreKinds) -> Result<StoredShares, StoredError> {
        StoredShares::open_with(config, kinds, None).await
    }

    /// The same, with one store in any case: it is made if it is not there.
    pub(super) async fn open_with(
        config: &Config,
        kinds: &StoreKinds,
        made: Option<&str>,
    ) -> Result<StoredShares, StoredError> {
        // One in memory has nothing, and one behind a network is there.
        let is_there = |store: &StoreConfig| match &store.folder {
            Some(folder) => folder.exists(),
            None => store.survives > Survives::Nothing,
        };
        let mut existing: Stores = config.metadata.clone();
        existing.retain(|name, store| made == Some(name.as_str()) || is_there(store));
        if existing.is_empty() {
            return Ok(StoredShares { stores: Vec::new(), _data: None });
        }
        let data = DataFolder::lock_of(config)?;
        let opening = |store: &str| Opening {
            progress: Progress::shown(format!("checking the store `{store}`")),
            ..Opening::default()
        };
        let open = open_each_store(&existing, &kinds.metadata, opening).await;
        let open = open.map_err(|(store, source)| StoredError::Store { store, source })?;
        if made.is_some() {
            sync_folders(&[&existing])?;
        }
        let mut stores = Vec::new();
        for (name, store) in open {
            let shares = store.shares().await;
            let shares = shares.map_err(|source| StoredError::Read { store: name.clone(), source })?;
            stores.push(Stored { name, store, shares });
        }
        Ok(StoredShares { stores, _data: data })
    }

    /// The shares that the configuration does not name.
    pub(super) fn unnamed(&self, config: &Config) -> Vec<UnnamedView> {
        let of = |store: &Stored| facts::unnamed(&store.name, &store.shares, &config.shares);
        self.stores.iter().flat_map(of).collect()
    }
}

/// Returns the shares as a configuration describes them, with what the stores know of them.
pub(super) async fn views(
    facts: Vec<ShareFacts>,
    config: &Config,
    kinds: &StoreKinds,
) -> Result<SharesView, StoredError> {
    let stored = StoredShares::open(config, kinds).await?;
    let views = facts.into_iter().zip(&config.shares).map(|(facts, share)| {
        let store = stored.stores.iter().find(|store| store.name == share.metadata_store);
        let record = store.and_then(|store| store.shares.iter().find(|record| facts::is_of(record, share)));
        let state = match record {
            None => "not served; made when it is first",
            Some(record) if record.dirty => "not served, and was not stopped cleanly: the next start recovers it",
            Some(_) => "not served; stopped cleanly",
        };
        ShareView { facts, id: record.map(|record| record.id.0), state: state.to_owned(), space: None }
    });
    let shares = views.collect();
    Ok(SharesView { shares, unnamed: stored.unnamed(config) })
}
