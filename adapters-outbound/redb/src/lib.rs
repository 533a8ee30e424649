//! Metadata in a redb database: one file, one thread that writes, readers that never wait for it.
//!
//! - Every plan that waits goes into one transaction with one sync; answers leave after the commit.
//! - Readers share the snapshot of the last commit. A read runs on the thread that asks, so a page that is not in the
//!   cache blocks that thread for one read of the disk; no snapshot is held over an await.
//! - Which operations were carried out is noted in their transactions. After an I/O error the plans of the transaction
//!   under way are answered `Unknown`, and whether they were applied is found out by a view with the operation's id.
//! - After an I/O error the database is closed, checked and opened again by itself, for as long as it takes.
//!
//! The layout is in `docs/decisions/0006-redb-layout.md`.
//!
//! This crate does not know: what a plan means, what else is in the folder.

mod batch;
mod bugs;
mod cache;
mod codec;
mod durable;
mod fault;
mod folded;
mod keys;
mod log;
mod open;
mod operations;
mod options;
mod redo;
mod share;
mod share_snapshot;
mod snapshot;
mod store;
mod tables;
mod upgrade;
mod users;
mod view;
mod writer;

pub use open::{OpenError, Part};
pub use options::{Progress, RedbOptions};
pub use store::RedbMetadataStore;
