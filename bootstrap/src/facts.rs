//! The outcome of a configuration, share by share, as people and the local socket see it.

use dittofs_admin::{ShareFacts, UnnamedView};
use dittofs_domain::users::AccessList;
use dittofs_ports::ShareRecord;

use crate::config::{
    Config, EncryptionConfig, ShareConfig, StoreConfig, Stores, compression_word, permitted_word, smb_encryption_word,
    squash_word,
};

/// The shares in the order of the configuration.
pub(crate) fn of(config: &Config) -> Vec<ShareFacts> {
    config.shares.iter().map(|share| of_share(share, config)).collect()
}

/// Whether the row of a share is that of a configured one.
pub(crate) fn is_of(record: &ShareRecord, share: &ShareConfig) -> bool {
    share.id.map_or(record.name == share.name, |id| record.id.0 == id)
}

/// The shares of a metadata store that none of the configured ones is.
pub(crate) fn unnamed(store: &str, records: &[ShareRecord], shares: &[ShareConfig]) -> Vec<UnnamedView> {
    let is_named =
        |record: &&ShareRecord| shares.iter().any(|share| share.metadata_store == store && is_of(record, share));
    let unnamed = records.iter().filter(|record| !is_named(record)).map(|record| UnnamedView {
        name: record.name.clone(),
        id: record.id.0,
        metadata_store: store.to_owned(),
    });
    unnamed.collect()
}

fn of_share(share: &ShareConfig, config: &Config) -> ShareFacts {
    let journal = config.journal.path.as_ref().filter(|_| share.durability.keeps_a_journal());
    ShareFacts {
        name: share.name.clone(),
        metadata_store: store(&share.metadata_store, &config.metadata),
        content_store: store(&share.content_store, &config.content),
        journal: journal.map(|path| path.display().to_string()),
        durability: share.durability.to_string(),
        compression: compression_word(share.compression).to_owned(),
        encryption: encryption(share),
        clients: share.clients.iter().map(ToString::to_string).collect(),
        secure_ports: share.secure_ports,
        squash: squash_word(share.squash).to_owned(),
        anonymous_uid: share.anonymous_uid,
        anonymous_gid: share.anonymous_gid,
        access: access(&share.access),
        read_only: share.read_only,
        quota: share.quota.bytes.map(|bytes| bytes.0),
        quota_files: share.quota.files,
        smb_name: share.smb_name.clone(),
        smb_encryption: smb_encryption_word(share.smb_encryption_required).to_owned(),
        mounts: Vec::new(),
    }
}

/// Who is listed, and what for; nobody where everybody may.
fn access(list: &AccessList) -> Vec<String> {
    let AccessList::Listed { users, groups } = list else { return Vec::new() };
    let users = users.iter().map(|(name, permitted)| format!("{name} {}", permitted_word(*permitted)));
    let groups = groups.iter().map(|(gid, permitted)| format!("group {gid} {}", permitted_word(*permitted)));
    users.chain(groups).collect()
}

fn encryption(share: &ShareConfig) -> String {
    match &share.encryption {
        None => "none".to_owned(),
        Some(EncryptionConfig { key_file, seal: true }) => format!("AES-256-GCM, keys in {}", key_file.display()),
        Some(EncryptionConfig { key_file, seal: false }) => {
            format!("none for what is new, keys in {}", key_file.display())
        }
    }
}

fn store(name: &str, stores: &Stores) -> String {
    match stores.get(name) {
        Some(StoreConfig { kind, folder: Some(folder), .. }) => format!("{name} ({kind} in {})", folder.display()),
        Some(StoreConfig { kind, .. }) => format!("{name} ({kind})"),
        None => name.to_owned(),
    }
}
