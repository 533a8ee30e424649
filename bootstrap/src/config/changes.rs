//! The differences between a newer configuration and the one that a server runs with.

use super::{Adapters, CacheConfig, Config, JournalConfig, LogConfig, ShareConfig, Stores, UsersConfig};

/// The differences of two configurations, by what can be done about them while the server runs.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Changes {
    /// Shares that came.
    pub(crate) new: Vec<ShareConfig>,
    /// Shares that others may use from now on, or otherwise: as they are to run, and the fields that differ.
    pub(crate) changed: Vec<(ShareConfig, Vec<&'static str>)>,
    /// Whether the log has another level.
    pub(crate) level: bool,
    /// The differences that need a restart: keys, and shares by their names. Protocols report for themselves which
    /// options they can take.
    pub(crate) restart: Vec<String>,
}

impl Changes {
    /// From the configuration that is in force to a newer one.
    pub(crate) fn between(running: &Config, newer: &Config) -> Changes {
        let mut changes = Changes { level: running.log.levels != newer.log.levels, ..Changes::default() };
        changes.restart = keys(running, newer);
        for share in &newer.shares {
            match named(&running.shares, &share.name) {
                Some(before) => changes.compare(before, share),
                None => match obstacle(share, running, newer) {
                    Some(obstacle) => changes.restart.push(format!("share {} (new; {obstacle})", share.name)),
                    None => changes.new.push(share.clone()),
                },
            }
        }
        changes
    }

    /// The names of shares that are configured no more. They go first: stores that only they use may be others then.
    pub(crate) fn gone(running: &Config, newer: &Config) -> Vec<String> {
        let gone = running.shares.iter().filter(|share| named(&newer.shares, &share.name).is_none());
        gone.map(|share| share.name.clone()).collect()
    }

    /// A share that stays.
    fn compare(&mut self, before: &ShareConfig, newer: &ShareConfig) {
        // All fields are named, so that none that is new is forgotten.
        let ShareConfig {
            name,
            smb_name,
            smb_encryption_required,
            id,
            metadata_store,
            content_store,
            durability,
            inline_max,
            compression,
            encryption,
            clients,
            secure_ports,
            squash,
            anonymous_uid,
            anonymous_gid,
            atime,
            access,
            read_only,
            quota,
            outage_seconds,
        } = before;
        let differing = |fields: &[(&'static str, bool)]| -> Vec<&'static str> {
            fields.iter().filter(|(_, is_same)| !is_same).map(|(field, _)| *field).collect()
        };
        let of_restart = differing(&[
            ("id", *id == newer.id),
            ("metadata_store", *metadata_store == newer.metadata_store),
            ("content_store", *content_store == newer.content_store),
            ("durability", *durability == newer.durability),
            ("inline_max", *inline_max == newer.inline_max),
            ("compression", *compression == newer.compression),
            ("encryption", *encryption == newer.encryption),
            ("outage_seconds", *outage_seconds == newer.outage_seconds),
        ]);
        if !of_restart.is_empty() {
            self.restart.push(format!("share {name} ({})", of_restart.join(", ")));
        }
        let taken = differing(&[
            ("smb_name", *smb_name == newer.smb_name),
            ("smb_encryption", *smb_encryption_required == newer.smb_encryption_required),
            ("clients", *clients == newer.clients),
            ("secure_ports", *secure_ports == newer.secure_ports),
            ("squash", *squash == newer.squash),
            ("anonymous_uid", *anonymous_uid == newer.anonymous_uid),
            ("anonymous_gid", *anonymous_gid == newer.anonymous_gid),
            ("atime", *atime == newer.atime),
            ("access", *access == newer.access),
            ("read_only", *read_only == newer.read_only),
            ("quota", *quota == newer.quota),
        ]);
        if !taken.is_empty() {
            self.changed.push((in_force(before, newer), taken));
        }
    }
}

fn named<'s>(shares: &'s [ShareConfig], name: &str) -> Option<&'s ShareConfig> {
    shares.iter().find(|share| share.name == name)
}

/// A share as it runs on: who may use it, and how, is that of the newer configuration.
fn in_force(before: &ShareConfig, newer: &ShareConfig) -> ShareConfig {
    ShareConfig {
        smb_name: newer.smb_name.clone(),
        smb_encryption_required: newer.smb_encryption_required,
        clients: newer.clients.clone(),
        secure_ports: newer.secure_ports,
        squash: newer.squash,
        anonymous_uid: newer.anonymous_uid,
        anonymous_gid: newer.anonymous_gid,
        atime: newer.atime,
        access: newer.access.clone(),
        read_only: newer.read_only,
        quota: newer.quota,
        ..before.clone()
    }
}

/// Why a new share can't be opened beside the running ones: what it stands on is not what the configuration says.
fn obstacle(share: &ShareConfig, running: &Config, newer: &Config) -> Option<String> {
    let changed = |name: &String, before: &Stores, newer: &Stores| {
        before.get(name).is_some() && before.get(name) != newer.get(name)
    };
    if changed(&share.metadata_store, &running.metadata, &newer.metadata) {
        return Some(format!("its metadata store `{}` has changed", share.metadata_store));
    }
    if changed(&share.content_store, &running.content, &newer.content) {
        return Some(format!("its content store `{}` has changed", share.content_store));
    }
    let keeps = share.durability.keeps_a_journal();
    let is_elsewhere = running.data != newer.data;
    (keeps && (is_elsewhere || has_moved(&running.journal, &newer.journal)))
        .then(|| "the data folder or the journal's has changed".to_owned())
}

/// Whether the journals are elsewhere now; a configuration without persistent shares has none.
fn has_moved(before: &JournalConfig, newer: &JournalConfig) -> bool {
    before.path.is_some() && newer.path.is_some() && before.path != newer.path
}

/// The keys beside those of shares and protocols that need a restart.
fn keys(running: &Config, newer: &Config) -> Vec<String> {
    // All fields are named, so that none that is new is forgotten.
    let Config { data, metadata, content, users, journal, cache, shares: _, grace, adapters, log } = running;
    let UsersConfig { store, is_store_named: _, key_file } = users;
    let JournalConfig { size, path: _ } = journal;
    let CacheConfig { memory, readahead, disk } = cache;
    let Adapters { protocols: _, admin, limits } = adapters;
    let LogConfig { levels: _, format, audit, slow } = log;
    let keys = [
        ("data", *data == newer.data),
        ("system_store", *store == newer.users.store),
        ("users.key_file", *key_file == newer.users.key_file),
        ("journal.size", *size == newer.journal.size),
        ("journal.path", !has_moved(journal, &newer.journal)),
        ("cache.memory", *memory == newer.cache.memory),
        ("cache.readahead", *readahead == newer.cache.readahead),
        ("cache.disk", *disk == newer.cache.disk),
        ("locks.grace_seconds", *grace == newer.grace),
        ("adapters.admin", *admin == newer.adapters.admin),
        ("adapters.limits", *limits == newer.adapters.limits),
        ("log.format", *format == newer.log.format),
        ("log.audit", *audit == newer.log.audit),
        ("log.slow_ms", *slow == newer.log.slow),
    ];
    let keys = keys.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key.to_owned());
    let stores = changed_stores("metadata", metadata, &newer.metadata);
    keys.chain(stores).chain(changed_stores("content", content, &newer.content)).collect()
}

/// Stores of one name that are another thing now.
fn changed_stores<'s>(kind: &'s str, before: &'s Stores, newer: &'s Stores) -> impl Iterator<Item = String> + 's {
    let changed = before.iter().filter(|(name, store)| newer.get(*name).is_some_and(|newer| newer != *store));
    changed.map(move |(name, _)| format!("{kind}.stores.{name}"))
}
