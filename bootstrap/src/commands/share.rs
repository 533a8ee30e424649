//! Prints shares.

use std::io::{self, Write};

use crate::config::{Config, ShareConfig, Stores, squash_word};

/// One line a share, under a heading.
pub(super) fn list(shares: &[ShareConfig], out: &mut dyn Write) -> io::Result<()> {
    let header = ["NAME", "METADATA", "CONTENT", "DURABILITY", "SQUASH", "ACCESS", "CLIENTS"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(shares.iter().map(|share| {
        [
            share.name.clone(),
            share.metadata_store.clone(),
            share.content_store.clone(),
            share.durability.to_string(),
            squash_word(share.squash).to_owned(),
            access(share).to_owned(),
            clients(share),
        ]
    }));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// All of one share.
pub(super) fn show(share: &ShareConfig, config: &Config, out: &mut dyn Write) -> io::Result<()> {
    let store = |name: &str, stores: &Stores| match stores.get(name) {
        Some(store) => format!("{name} ({})", store.kind),
        None => name.to_owned(),
    };
    let quota = share.quota.map_or("none".to_owned(), |size| size.to_string());
    let lines = [
        ("name", share.name.clone()),
        ("metadata store", store(&share.metadata_store, &config.metadata)),
        ("content store", store(&share.content_store, &config.content)),
        ("durability", share.durability.to_string()),
        ("  answered when", share.durability.answered().to_owned()),
        ("  survives", share.durability.survives().to_owned()),
        ("clients", clients(share)),
        ("squash", squash_word(share.squash).to_owned()),
        ("anonymous", format!("uid {}, gid {}", share.anonymous_uid, share.anonymous_gid)),
        ("access", access(share).to_owned()),
        ("quota", quota),
    ];
    for (name, value) in lines {
        writeln!(out, "{name:15}  {value}")?;
    }
    Ok(())
}

fn clients(share: &ShareConfig) -> String {
    let names: Vec<String> = share.clients.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn access(share: &ShareConfig) -> &'static str {
    match share.read_only {
        true => "read only",
        false => "read, write",
    }
}
