//! Journals: a share's log of acknowledged bytes.
//!
//! This crate does not know: what a flush is, or when records are released.

mod buffers;
mod mmap;
mod null;

pub use mmap::{Damage, JournalId, JournalOptions, LostRun, MmapJournal, OpenError, Recovery};
pub use null::NullJournal;
