//! The services over one [`Volume`] per share: orchestration over ports.
//!
//! This crate does not know: any protocol, any storage library, which stores there are, sockets, threads, the clock.
//! It reads through ports, lets the domain decide, applies, and keeps what is not flushed yet.
//!
//! `docs/architecture.md` has a picture of a volume's parts, and the order in which locks are taken.

mod accounts;
mod admission;
mod backup;
mod keyed;
mod lock_order;
mod owned;
mod policy;
mod recovery;
mod registry;
mod replicated;
mod restore;
mod served;
mod services;
mod to_end;
mod volume;

pub use accounts::{Accounts, USERS_MAX};
pub use policy::{Atime, Network, SharePolicy};
pub use recovery::Recovery;
pub use registry::Registry;
pub use restore::{RestoreError, RestoreStores, restore_share};
pub use served::ServedShare;
pub use services::{RetireError, Services};
pub use volume::{
    CheckStores, Machine, NodePage, OpenError, Recovered, Tier, UnpinError, Volume, VolumeLimits, VolumeSettings,
    VolumeStores, check_stores, nodes_after, path_of, pinning, unpin_all,
};
