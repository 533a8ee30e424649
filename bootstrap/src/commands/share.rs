//! Prints shares.

use std::io::{self, Write};

use dittofs_admin::{ShareFacts, ShareView, SharesView, UnnamedView};
use dittofs_domain::flush::Policy;

use super::table;
use crate::config::{ByteSize, Durability};

/// One line a share, under a heading.
pub(super) fn list(SharesView { shares, unnamed }: &SharesView, out: &mut dyn Write) -> io::Result<()> {
    let header = ["NAME", "DURABILITY", "ACCESS", "SQUASH", "CLIENTS", "STATE"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(shares.iter().map(|ShareView { facts, state, .. }| {
        [
            facts.name.clone(),
            facts.durability.clone(),
            access(facts).to_owned(),
            facts.squash.clone(),
            facts.clients.join(", "),
            state.clone(),
        ]
    }));
    rows.extend(unnamed.iter().map(|UnnamedView { name, metadata_store, .. }| {
        let state = format!("not served: in the metadata store `{metadata_store}`, but not in the configuration");
        let none = || "-".to_owned();
        [name.clone(), none(), none(), none(), none(), state]
    }));
    table::print(&rows, out)
}

/// All of one share, with what its clients may rely on.
pub(super) fn show(share: &ShareView, out: &mut dyn Write) -> io::Result<()> {
    let facts = &share.facts;
    let mut lines = vec![
        ("name", facts.name.clone()),
        ("smb name", facts.smb_name.clone()),
        ("smb encryption", facts.smb_encryption.clone()),
        ("id", share.id.map_or("none yet".to_owned(), |id| id.to_string())),
        ("state", share.state.clone()),
        ("metadata store", facts.metadata_store.clone()),
        ("content store", facts.content_store.clone()),
        ("journal", facts.journal.clone().unwrap_or("in memory".to_owned())),
        ("durability", facts.durability.clone()),
    ];
    lines.extend(contract(facts));
    lines.extend([
        ("compression", facts.compression.clone()),
        ("encryption", facts.encryption.clone()),
        ("clients", facts.clients.join(", ")),
        ("source ports", if facts.secure_ports { "below 1024" } else { "all" }.to_owned()),
        ("squash", facts.squash.clone()),
        ("anonymous", format!("uid {}, gid {}", facts.anonymous_uid, facts.anonymous_gid)),
        ("access", access(facts).to_owned()),
        ("users", if facts.access.is_empty() { "all".to_owned() } else { facts.access.join(", ") }),
        ("quota", quota(facts)),
    ]);
    if let Some(space) = share.space {
        lines.push(("bytes used", space.bytes_used.to_string()));
        lines.push(("bytes free", space.bytes_free.to_string()));
        lines.push(("nodes", space.nodes_used.to_string()));
    }
    let labels = ["mount"].into_iter().chain(std::iter::repeat(""));
    lines.extend(labels.zip(facts.mounts.iter().cloned()));
    for (name, value) in lines {
        writeln!(out, "{name:16}  {value}")?;
    }
    Ok(())
}

fn quota(facts: &ShareFacts) -> String {
    let bytes = facts.quota.map(|bytes| ByteSize(bytes).to_string());
    let files = facts.quota_files.map(|files| format!("{files} files"));
    let bounds: Vec<String> = bytes.into_iter().chain(files).collect();
    if bounds.is_empty() { "none".to_owned() } else { bounds.join(", ") }
}

/// Lists the promises of the tier, line by line.
fn contract(facts: &ShareFacts) -> Vec<(&'static str, String)> {
    // A server of another release may know tiers that this program does not.
    let Some(tier) = Durability::of_word(&facts.durability) else {
        return Vec::new();
    };
    let where_bytes_are = match &facts.journal {
        Some(journal) => format!("first in the journal ({journal}), then in the content store"),
        None if tier == Durability::Remote => "first in memory, then in the content store".to_owned(),
        None => "in memory".to_owned(),
    };
    vec![
        ("  COMMIT, stable", format!("COMMIT and stable writes are answered when {}", tier.writes_answered())),
        ("  other changes", format!("names and attributes are answered when {}", tier.changes_answered())),
        ("  survives", tier.survives().to_owned()),
        ("  unstable", tier.unstable(Policy::default().age_ms_max.div_ceil(1_000))),
        ("  bytes", where_bytes_are),
    ]
}

fn access(facts: &ShareFacts) -> &'static str {
    match facts.read_only {
        true => "read only",
        false => "read, write",
    }
}
