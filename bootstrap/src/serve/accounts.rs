//! The users of the server: the store that keeps them, and the key of their secrets.

use std::{collections::BTreeMap, sync::Arc};

use dittofs_application::Accounts;
use dittofs_frame_sealer::{KeyFile, SecretKeys};
use dittofs_ports::{AccountService, MetadataStore, Randomness};

use super::{ServeError, volumes::Opener};
use crate::config::{Config, UsersConfig};

/// Why the users can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    /// The store is not open.
    #[error("the metadata store `{0}`, which keeps the users, is not there")]
    Missing(String),
    /// The configuration does not say where they are, and they are not where they would be looked for.
    #[error(
        "the metadata store `{found}` has users, and by default they are looked for in `{store}`: write \
         `system_store: {found}` into the configuration, or `system_store: {store}` if those are not meant"
    )]
    Elsewhere {
        /// Where they are.
        found: String,
        /// Where they are looked for.
        store: String,
    },
}

/// The users of a configuration, in the stores that are open. A store that is away is not asked whether it has some.
pub(crate) async fn open(
    config: &Config,
    stores: &BTreeMap<String, Arc<dyn MetadataStore>>,
    randomness: Arc<dyn Randomness>,
) -> Result<Accounts, AccountsError> {
    let UsersConfig { store, is_store_named, key_file } = &config.users;
    if !is_store_named {
        // Users that vanish because a store was added or shares have another order would be missed only at a logon.
        for (name, other) in stores.iter().filter(|(name, _)| *name != store) {
            if other.users().users(None, 1).await.is_ok_and(|users| !users.is_empty()) {
                return Err(AccountsError::Elsewhere { found: name.clone(), store: store.clone() });
            }
        }
    }
    let kept = stores.get(store).ok_or_else(|| AccountsError::Missing(store.clone()))?.users();
    let sealer = match key_file {
        Some(file) => SecretKeys::of_file(KeyFile::new(file.clone())),
        None => SecretKeys::none(),
    };
    Ok(Accounts::new(kept, Arc::new(sealer), randomness))
}

/// The same for a server that starts. Whether users can log on shows now, not at the first logon.
pub(super) async fn start(config: &Config, opener: &Opener) -> Result<Arc<Accounts>, ServeError> {
    let randomness = Arc::clone(&opener.machine.randomness);
    let opened = open(config, &opener.stores.metadata, randomness).await;
    let accounts = Arc::new(opened.map_err(|error| ServeError::Accounts(error.into()))?);
    let first = match accounts.list().await {
        Ok(users) => users.into_iter().next(),
        Err(error) => {
            tracing::warn!(store = %config.users.store, %error, "the users can't be read: nobody can log on meanwhile");
            None
        }
    };
    if let Some(user) = first
        && let Err(error) = accounts.find(&user.name).await
    {
        tracing::error!(%error, "the secrets of users can't be opened: nobody can log on");
    }
    Ok(accounts)
}
