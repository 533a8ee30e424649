//! The cache in a folder: frames are appended to segment files by one thread, and the oldest segment goes when there is
//! no room for a new one. What was read since it was written is written again then.
//!
//! The files are never trusted: each frame has its key and a checksum beside it. They are never synced either: what a
//! crash of the machine leaves is found out like any other damage.

mod format;
mod index;
mod open;
mod read;
mod segment;
mod state;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_ports::{DiskCache, DiskCacheUsage, FrameKey};

pub use open::DiskCacheError;
use state::State;

/// The options of a cache in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskCacheOptions {
    /// Its folder, which nothing else may use.
    pub path: PathBuf,
    /// Bytes that its files may take.
    pub bytes: u64,
}

impl DiskCacheOptions {
    /// No cache is smaller. That is 512 frames: with fewer, hardly one would be met again.
    pub const BYTES_MIN: u64 = 16 << 20;

    /// A cache in a folder with so many bytes.
    pub fn new(path: impl AsRef<Path>, bytes: u64) -> DiskCacheOptions {
        DiskCacheOptions { path: path.as_ref().to_owned(), bytes: bytes.max(DiskCacheOptions::BYTES_MIN) }
    }
}

/// A cache in a folder. When it is dropped, what waits to be written is.
pub struct FolderDiskCache {
    state: Arc<State>,
    writer: Option<JoinHandle<()>>,
}

impl FolderDiskCache {
    /// Opens a folder with what is cached in it, or makes it a cache. Where the disk does not let it, there is a cache all
    /// the same, which is off. Blocks.
    ///
    /// # Errors
    /// Where somebody has to decide: the folder is not a cache, is one of a newer release, or another process uses it.
    pub fn open(options: &DiskCacheOptions) -> Result<FolderDiskCache, DiskCacheError> {
        let state = Arc::new(open::open(options)?);
        let writer = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("disk cache".to_owned());
        let writer = match thread.spawn(move || writer::run(&writer)) {
            Ok(writer) => Some(writer),
            Err(error) => {
                state.give_up("can't have a thread", &error);
                None
            }
        };
        Ok(FolderDiskCache { state, writer })
    }

    /// Waits until everything that was inserted is written. Blocks; for tests.
    pub fn wait_until_written(&self) {
        self.state.wait_until_written();
    }
}

impl Drop for FolderDiskCache {
    fn drop(&mut self) {
        self.state.close();
        if let Some(writer) = self.writer.take() {
            // It ends by itself; a panic was printed where it was.
            let _ = writer.join();
        }
    }
}

#[async_trait]
impl DiskCache for FolderDiskCache {
    async fn frames(&self, keys: &[FrameKey]) -> Vec<Option<Bytes>> {
        read::frames(&self.state, keys).await
    }

    fn insert(&self, key: FrameKey, frame: Bytes) {
        self.state.offer(key, frame);
    }

    fn usage(&self) -> DiskCacheUsage {
        self.state.usage()
    }
}

#[cfg(test)]
mod tests;
