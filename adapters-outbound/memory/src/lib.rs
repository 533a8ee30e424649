//! Stores that keep everything in the memory of this process: metadata, users and content, for shares that may be lost with
//! it, and for tests.
//!
//! This crate does not know: what a plan means, what an object holds.

mod content;
mod lock_clients;
mod metadata;
mod open_state;
mod users;

pub use content::MemoryContentStore;
pub use lock_clients::NoLockClients;
pub use metadata::MemoryMetadataStore;
pub use open_state::MemoryOpenState;
