//! The configuration: read from YAML and the environment, and refused as a whole unless every
//! word of it is understood, fits the rest, and is acted upon.

mod adapters;
mod clients;
mod durability;
mod log;
mod problem;
mod section;
mod shares;
mod size;
mod source;
mod stores;
mod tree;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use figment::value::{Dict, Value};

pub use adapters::{Adapters, Limits, NfsConfig};
pub use durability::Durability;
pub use log::{LogConfig, LogFormat, LogLevel};
pub use problem::{ConfigError, Problem};
pub use shares::{ShareConfig, squash_word};
pub use size::ByteSize;
pub use source::{SAMPLE, load};
pub use stores::{
    NoOptions, OptionsError, StoreConfig, StoreError, StoreKind, StoreKinds, StoreOptions, Stores, open as open_stores,
};
pub use tree::PREFIX;

use problem::Report;
use section::Section;

/// A configuration that holds together: every store that a share names exists, no two shares
/// overlap, and every durability can be given.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder for what the server keeps between runs.
    pub data: Option<PathBuf>,
    /// Metadata stores by name.
    pub metadata: Stores,
    /// Content stores by name.
    pub content: Stores,
    /// The journal, over all shares.
    pub journal: JournalConfig,
    /// The cache of content, over all shares.
    pub cache: CacheConfig,
    /// What is exported; at least one.
    pub shares: Vec<ShareConfig>,
    /// How it is reached.
    pub adapters: Adapters,
    /// What is logged.
    pub log: LogConfig,
}

/// The bound of bytes that are written but not yet flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The sum over all shares.
    pub size: ByteSize,
}

/// The bound of content that is kept for reading again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The sum over all shares.
    pub memory: ByteSize,
}

const MIB: u64 = 1 << 20;
/// A journal must hold a few transfers of 1 MiB, or no write could ever be admitted.
const JOURNAL_MIN: ByteSize = ByteSize(16 * MIB);
const JOURNAL_DEFAULT: ByteSize = ByteSize(1024 * MIB);
const CACHE_MIN: ByteSize = ByteSize(MIB);
const CACHE_DEFAULT: ByteSize = ByteSize(512 * MIB);

impl Config {
    /// What a configuration without a word in it means: one share in memory on loopback.
    ///
    /// # Errors
    /// Only where `kinds` lacks the store type `memory`.
    pub fn defaults(kinds: &StoreKinds) -> Result<Self, ConfigError> {
        let report = Report::default();
        read(Dict::new(), kinds, &report).ok_or_else(|| report.into_error())
    }

    /// The shares whose files are gone when the server stops.
    pub fn shares_in_memory(&self) -> impl Iterator<Item = &ShareConfig> {
        self.shares.iter().filter(|share| share.durability == Durability::None)
    }

    /// What holds for this configuration though one might expect otherwise, a line each.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let mut notices: Vec<String> = self
            .shares_in_memory()
            .map(|share| format!("{} is in memory: its files are gone when the server stops", share.name))
            .collect();
        if let Some(data) = &self.data {
            notices.push(format!("{} is locked while the server runs; no store keeps anything there", data.display()));
        }
        notices
    }
}

/// Reads the whole tree; `None` when the report has a problem.
fn read(tree: Dict, kinds: &StoreKinds, report: &Report) -> Option<Config> {
    let mut root = Section::new(String::new(), with_default_share(tree), report);
    root.refuse_unbuilt("system_store", "there is no persistent store yet");
    let data = root.take_text("data").map(PathBuf::from);
    let metadata = stores::read(root.take_section("metadata"), &kinds.metadata);
    let content = stores::read(root.take_section("content"), &kinds.content);
    let journal = read_journal(root.take_section("journal"));
    let cache = read_cache(root.take_section("cache"));
    let absent = !root.has("shares");
    let shares = root.take_list("shares").or_else(|| absent.then(Vec::new));
    let shares = shares.map(|items| shares::read(items, &metadata, &content, report));
    let adapters = adapters::read(root.take_section("adapters"));
    let log = log::read(root.take_section("log"));
    root.finish();
    report.is_clean().then_some(Config {
        data,
        metadata,
        content,
        journal,
        cache,
        shares: shares.unwrap_or_default(),
        adapters,
        log,
    })
}

/// Where neither stores nor shares are named, the server still serves something.
fn with_default_share(mut tree: Dict) -> Dict {
    const KEYS: [&str; 3] = ["metadata", "content", "shares"];
    if KEYS.iter().any(|key| tree.contains_key(*key)) {
        return tree;
    }
    let dict = |key: &str, value: Value| Value::from(Dict::from([(key.to_owned(), value)]));
    let stores = dict("stores", dict("scratch", dict("type", Value::from("memory"))));
    // Only this machine is admitted, and its root user needs no server to read what is in its own memory.
    let share = [("name", "/export"), ("metadata_store", "scratch"), ("content_store", "scratch"), ("squash", "none")];
    let share: Dict = share.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect();
    tree.insert("metadata".to_owned(), stores.clone());
    tree.insert("content".to_owned(), stores);
    tree.insert("shares".to_owned(), Value::from(vec![Value::from(share)]));
    tree
}

fn read_journal(mut section: Section<'_>) -> JournalConfig {
    section.refuse_unbuilt("path", "what is not flushed is kept in memory");
    let size = read_bound(&mut section, "size", JOURNAL_MIN).unwrap_or(JOURNAL_DEFAULT);
    section.finish();
    JournalConfig { size }
}

fn read_cache(mut section: Section<'_>) -> CacheConfig {
    section.refuse_unbuilt("disk", "the cache is in memory only");
    section.refuse_unbuilt("path", "the cache is in memory only");
    let memory = read_bound(&mut section, "memory", CACHE_MIN).unwrap_or(CACHE_DEFAULT);
    section.finish();
    CacheConfig { memory }
}

fn read_bound(section: &mut Section<'_>, name: &'static str, min: ByteSize) -> Option<ByteSize> {
    let mend = format!("write a size of at least {min}, such as 512MiB or 4GiB");
    let size: ByteSize = section.take_parsed(name, &mend)?;
    if size < min {
        section.refuse(name, format!("{size} is too small"), mend);
        return None;
    }
    Some(size)
}
