//! The map of a file against simple models, through the crate's public surface.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "content/clones.rs"]
mod clones;
#[path = "content/compaction.rs"]
mod compaction;
#[path = "content/examples.rs"]
mod examples;
#[path = "content/model.rs"]
mod model;
#[path = "content/replay.rs"]
mod replay;
#[path = "content/sequences.rs"]
mod sequences;
#[path = "content/store.rs"]
mod store;
