//! Journals: a share's log of acknowledged bytes.
//!
//! This crate does not know: what a flush is, or when records are released.

mod buffers;
mod mmap;
mod null;

pub use mmap::{
    Damage, DiskFolder, File, Folder, JournalId, JournalOptions, LostRun, Map, MmapJournal, OpenError, Recovery,
    SyncLoss,
};
pub use null::NullJournal;
