//! When and how unflushed bytes go to the content store.
//!
//! [`Policy`] says which nodes are flushed now and in which order; [`Cutter`] which regions of them go into one object;
//! [`rewrite`] which bytes of a region are written, so that pages keep few extents; [`goes_inline`] which files need no
//! object yet.

mod compaction;
mod cutter;
mod inline;
mod policy;

pub use compaction::rewrite;
pub use cutter::{Cost, Cutter, Step};
pub use inline::{INLINE_SLICES_MAX, goes_inline, is_committed, is_outdone};
pub use policy::{Candidate, NodeFacts, Policy, ShareFacts, Urgency, Usage};
