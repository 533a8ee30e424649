//! Journals: a share's log of acknowledged bytes.
//!
//! This crate does not know: what a flush is, or when records are released.

mod buffers;
mod null;

pub use null::NullJournal;
