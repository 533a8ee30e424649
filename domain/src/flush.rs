//! When and how unflushed bytes go to the content store.
//!
//! [`Policy`] says which nodes are flushed now and in which order; [`compaction`] which bytes of them are written, so
//! that pages keep few extents; [`pack`] how these become blocks and objects.

mod compaction;
mod pack;
mod policy;

pub use compaction::{REGION_BYTES, Region, regions, rewrite};
pub use pack::{BlockPlan, ObjectPlan, blocks, pack};
pub use policy::{Candidate, NodeFacts, Policy, ShareFacts, Urgency, Usage};
