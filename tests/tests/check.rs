//! The findings of a check, and its repairs: damage of every class is done to a share through its stores, on each
//! metadata store.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "check/busy.rs"]
mod busy;
#[path = "check/bytes.rs"]
mod bytes;
#[path = "check/maps.rs"]
mod maps;
#[path = "check/names.rs"]
mod names;
#[path = "check/references.rs"]
mod references;
#[path = "check/sealed.rs"]
mod sealed;
#[path = "check/share.rs"]
mod share;
#[path = "check/xattrs.rs"]
mod xattrs;
