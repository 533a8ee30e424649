//! The rules over names and attributes, on a small store that applies plans to the letter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod acl;
mod any_case;
mod attributes;
mod create;
mod exact;
mod link;
mod model;
mod pairs;
mod permission;
mod random;
mod remove;
mod rename;
mod store;
mod streams;
mod watching;
mod world;
mod xattrs;
