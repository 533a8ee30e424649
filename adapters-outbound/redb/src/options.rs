//! The options of the store.

use std::{fmt, path::PathBuf, sync::Arc};

use dittofs_domain::plan::OperationsKept;

/// Options of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedbOptions {
    /// The folder of the database; it is made if it is not there.
    pub path: PathBuf,
    /// Memory for pages of the database, in bytes.
    pub cache_bytes: usize,
    /// Memory for rows that are kept decoded, so that what is asked for often costs no look-up in the database; in
    /// bytes, about; 0 keeps none.
    pub row_cache_bytes: usize,
    /// How long the log before the database may become, in bytes. A longer one lets more changes be written at once,
    /// and takes longer to do again after a crash. At least 16 KiB, at most 1 GiB.
    pub log_bytes: u64,
    /// Room that is kept on the disk, in a file beside the database, for what frees space and for what ends a flush when
    /// the disk is full, whoever filled it; in bytes. With 0 a disk that others fill stops all changes.
    pub ballast_bytes: u64,
    /// Opens the database even if its log is missing or damaged, with the loss of what was in it: the changes of at
    /// most the last seconds before the crash, though they were acknowledged.
    pub accept_loss: bool,
    /// How many operations are remembered, and for how long, for clients that send a call again.
    pub operations: OperationsKept,
    /// Hears how far the check of a database is that was not closed.
    pub progress: Progress,
}

impl RedbOptions {
    /// Memory for pages where nothing else is configured. Half of what content has by default: all of the metadata of
    /// small shares, and the upper levels of the tables of any.
    pub const CACHE_BYTES_USUAL: usize = 256 << 20;
    /// Memory for decoded rows where nothing else is configured. The nodes and names that clients ask for again and
    /// again; what it has not is in the pages.
    pub const ROW_CACHE_BYTES_USUAL: usize = 64 << 20;
    /// Length of the log where nothing else is configured. A checkpoint, which costs two syncs, for every 16 MiB of
    /// changes; and a start after a crash reads no more than that again.
    pub const LOG_BYTES_USUAL: u64 = 16 << 20;
    /// Room for a full disk where nothing else is configured. Room for checkpoints while space is being freed, and
    /// little of any disk.
    pub const BALLAST_BYTES_USUAL: u64 = 64 << 20;

    /// A database in this folder, everything else as usual.
    pub fn new(path: impl Into<PathBuf>) -> RedbOptions {
        RedbOptions {
            path: path.into(),
            cache_bytes: Self::CACHE_BYTES_USUAL,
            row_cache_bytes: Self::ROW_CACHE_BYTES_USUAL,
            log_bytes: Self::LOG_BYTES_USUAL,
            ballast_bytes: Self::BALLAST_BYTES_USUAL,
            accept_loss: false,
            operations: OperationsKept::default(),
            progress: Progress::default(),
        }
    }
}

/// A function that is called with how much is done, and of how much.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64, u64) + Send + Sync>>);

impl Progress {
    /// Calls this, from the thread that opens the database.
    pub fn new(report: impl Fn(u64, u64) + Send + Sync + 'static) -> Progress {
        Progress(Some(Arc::new(report)))
    }

    pub(crate) fn report(&self, done: u64, of: u64) {
        if let Some(report) = &self.0 {
            report(done, of);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Progress(..)" } else { "Progress" })
    }
}

impl PartialEq for Progress {
    fn eq(&self, other: &Progress) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}

impl Eq for Progress {}
