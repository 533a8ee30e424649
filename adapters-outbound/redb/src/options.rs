//! What can be configured.

use std::path::PathBuf;

use serde::Deserialize;

/// Options of the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedbOptions {
    /// The folder of the database; it is made if it is not there.
    pub path: PathBuf,
    /// Memory for pages of the database, in bytes.
    #[serde(default = "cache_bytes_usual")]
    pub cache_bytes: usize,
}

impl RedbOptions {
    /// Memory for pages where nothing else is configured.
    pub const CACHE_BYTES_USUAL: usize = 256 << 20;

    /// A database in this folder, everything else as usual.
    pub fn new(path: impl Into<PathBuf>) -> RedbOptions {
        RedbOptions { path: path.into(), cache_bytes: Self::CACHE_BYTES_USUAL }
    }
}

fn cache_bytes_usual() -> usize {
    RedbOptions::CACHE_BYTES_USUAL
}
