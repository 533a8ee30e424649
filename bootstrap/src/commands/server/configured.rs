//! Logs what runs, and with which options: the first question whenever something is wrong. The lines hold no secrets.

use dittofs_admin::ShareFacts;

use crate::config::{
    Adapters, ByteSize, CacheConfig, Config, JournalConfig, LogConfig, ShareConfig, SharedLimits, UsersConfig,
    atime_word, compression_word, smb_encryption_word, squash_word,
};
use crate::{facts, machine, serve};

/// Logs the configuration: a line for each share, and a few for all of them.
pub(super) fn log(config: &Config, file: &str) {
    // All fields are named, here and below, so that none that is new is forgotten.
    let Config { data, metadata: _, content: _, users, journal, cache, shares, grace, adapters, log } = config;
    let UsersConfig { store, is_store_named: _, key_file } = users;
    let JournalConfig { size: journal, path: _ } = journal;
    let CacheConfig { memory: cache, readahead, disk } = cache;
    let data = data.as_ref().map_or("none".to_owned(), |data| data.display().to_string());
    let disk = disk.as_ref().map_or("off".to_owned(), |disk| format!("{} in {}", disk.size, disk.path.display()));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        configuration = %file,
        %data,
        %journal,
        %cache,
        %readahead,
        disk_cache = %disk,
        "dittofs",
    );
    let key_file = key_file.as_ref().map_or("none".to_owned(), |file| file.display().to_string());
    tracing::info!(system_store = %store, %key_file, "users");
    tracing::info!(grace_seconds = grace.as_secs(), "locks");
    log_logging(log);
    log_adapters(adapters);
    for (share, facts) in shares.iter().zip(facts::of(config)) {
        log_share(share, &facts, serve::bytes_max(share, config, machine::memory_bytes()));
    }
}

fn log_logging(LogConfig { levels, format, audit, slow }: &LogConfig) {
    let audit = audit.as_ref().map_or("off".to_owned(), |audit| audit.display().to_string());
    let slow_ms = slow.map_or(0, |slow| slow.as_millis() as u64);
    tracing::info!(level = %levels, format = format.word(), slow_ms, %audit, "log");
}

fn log_adapters(Adapters { protocols, admin, limits }: &Adapters) {
    let SharedLimits { memory: _, connections, connections_per_address, strangers, idle } = *limits;
    for (name, options) in protocols {
        tracing::info!(protocol = %name, ?options, "adapters");
    }
    tracing::info!(admin = ?admin.listen, "adapters");
    // As it is on this machine, whatever is configured.
    let memory = ByteSize(serve::memory_of_requests(limits));
    let idle_seconds = idle.as_secs();
    tracing::info!(%memory, connections, connections_per_address, strangers, idle_seconds, "adapters.limits");
}

fn log_share(share: &ShareConfig, facts: &ShareFacts, bytes_max: Option<u64>) {
    let ShareConfig {
        name,
        smb_name,
        smb_encryption_required,
        id: _,
        metadata_store: _,
        content_store: _,
        durability,
        inline_max: _,
        compression,
        encryption: _,
        clients: _,
        secure_ports,
        squash,
        anonymous_uid,
        anonymous_gid,
        atime,
        access: _,
        read_only,
        quota,
        outage_seconds,
    } = share;
    tracing::info!(
        share = %name,
        %smb_name,
        smb_encryption = smb_encryption_word(*smb_encryption_required),
        metadata = %facts.metadata_store,
        content = %facts.content_store,
        journal = facts.journal.as_deref().unwrap_or("none"),
        %durability,
        compression = compression_word(*compression),
        encryption = %facts.encryption,
        clients = %facts.clients.join(" "),
        secure_ports,
        squash = squash_word(*squash),
        anonymous_uid,
        anonymous_gid,
        atime = atime_word(*atime),
        users = if facts.access.is_empty() { "all".to_owned() } else { facts.access.join(", ") },
        read_only,
        quota = %bytes_max.map_or("none".to_owned(), |bytes| ByteSize(bytes).to_string()),
        quota_files = quota.files,
        outage_seconds,
        "configured",
    );
}
