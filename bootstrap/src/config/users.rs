//! Where the users of the server are kept, and the key of their secrets.

use std::path::{Path, PathBuf};

use dittofs_ports::Survives;
use figment::value::Value;

use super::folders::Folders;
use super::section::{Section, shown};
use super::shares::ShareConfig;
use super::stores::NamedStores;

/// Below the data folder.
const KEY_FILE: &str = "users.key";

/// The keys `system_store` and `users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersConfig {
    /// The metadata store that keeps the users.
    pub store: String,
    /// Whether the configuration names it.
    pub is_store_named: bool,
    /// The file with the key that seals users' secrets, absolute; none where there is no place for it.
    pub key_file: Option<PathBuf>,
}

/// The key `system_store`, as it was read.
pub(super) struct SystemStore {
    name: Option<String>,
    is_named: bool,
}

/// Reads the key `system_store`. By default it is the first persistent metadata store: in the order of the shares, then
/// by name. It is none where the configuration is refused.
pub(super) fn read_store(root: &mut Section<'_>, metadata: &NamedStores, shares: &[ShareConfig]) -> SystemStore {
    let is_named = root.has("system_store");
    let name = root.take_text("system_store");
    if !is_named {
        let of_shares = shares.iter().map(|share| &share.metadata_store);
        let mut all = of_shares.chain(metadata.sound.keys());
        let is_persistent =
            |name: &&String| metadata.sound.get(*name).is_some_and(|store| store.survives > Survives::Nothing);
        let persistent = all.clone().find(is_persistent);
        return SystemStore { name: persistent.or_else(|| all.next()).cloned(), is_named: false };
    }
    if let Some(name) = &name
        && !metadata.sound.contains_key(name)
        && !metadata.refused.contains(name)
    {
        let known: Vec<&str> = metadata.sound.keys().map(String::as_str).collect();
        let found = format!("there is no metadata store {}", shown(&Value::from(name.as_str())));
        root.refuse("system_store", found, format!("known below metadata.stores: {}", known.join(", ")));
    }
    SystemStore { name, is_named: true }
}

/// Reads the section `users`. All folders have been claimed, so that the key lies in none of them.
pub(super) fn read(mut section: Section<'_>, store: SystemStore, folders: &Folders<'_>) -> UsersConfig {
    let written = section.take_text("key_file");
    let is_placed = written.is_some() || folders.has_data();
    let written = written.unwrap_or_else(|| KEY_FILE.to_owned());
    let key_file = is_placed.then(|| folders.file(&section.key("key_file"), Path::new(&written))).flatten();
    section.finish();
    UsersConfig { store: store.name.unwrap_or_default(), is_store_named: store.is_named, key_file }
}
