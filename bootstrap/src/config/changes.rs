//! What differs between two configurations.

use std::collections::BTreeSet;

use super::{Adapters, CacheConfig, Config, LogConfig, ProtocolConfig, ShareConfig};

/// The keys that differ between the configuration that a server runs with and a newer one, of all that it can't take
/// before it is started again. A share is named by its name.
pub(crate) fn needing_restart(running: &Config, newer: &Config) -> Vec<String> {
    // All fields are named, so that none that is new is forgotten.
    let Config { data, metadata, content, journal, cache, shares, adapters, log } = running;
    let CacheConfig { memory, readahead, disk } = cache;
    let Adapters { protocols, admin, limits } = adapters;
    let LogConfig { levels: _, format, audit, slow } = log;
    let parts = [
        ("data", *data == newer.data),
        ("metadata", *metadata == newer.metadata),
        ("content", *content == newer.content),
        ("journal", *journal == newer.journal),
        ("cache.memory", *memory == newer.cache.memory),
        ("cache.readahead", *readahead == newer.cache.readahead),
        ("cache.disk", *disk == newer.cache.disk),
        ("adapters.admin", *admin == newer.adapters.admin),
        ("adapters.limits", *limits == newer.adapters.limits),
        ("log.format", *format == newer.log.format),
        ("log.audit", *audit == newer.log.audit),
        ("log.slow_ms", *slow == newer.log.slow),
    ];
    let parts = parts.into_iter().filter(|(_, is_same)| !is_same).map(|(key, _)| key.to_owned());
    let protocols = changed_protocols(protocols, &newer.adapters.protocols);
    parts.chain(protocols).chain(changed_shares(shares, &newer.shares)).collect()
}

fn changed_protocols(running: &[(String, ProtocolConfig)], newer: &[(String, ProtocolConfig)]) -> Vec<String> {
    let is_in = |all: &[(String, ProtocolConfig)], one: &(String, ProtocolConfig)| all.contains(one);
    let gone_or_changed = running.iter().filter(|one| !is_in(newer, one));
    let names = gone_or_changed.chain(newer.iter().filter(|one| !is_in(running, one))).map(|(name, _)| name);
    names.collect::<BTreeSet<_>>().into_iter().map(|name| format!("adapters.{name}")).collect()
}

fn changed_shares(running: &[ShareConfig], newer: &[ShareConfig]) -> Vec<String> {
    let find = |shares: &[ShareConfig], name: &str| shares.iter().find(|share| share.name == name).cloned();
    let gone = running.iter().filter(|share| find(newer, &share.name).is_none());
    let gone = gone.map(|share| format!("share {} (not configured any more)", share.name));
    let others = newer.iter().filter_map(|share| match find(running, &share.name) {
        None => Some(format!("share {} (new)", share.name)),
        Some(before) if before != *share => Some(format!("share {} (changed)", share.name)),
        Some(_) => None,
    });
    gone.chain(others).collect()
}
