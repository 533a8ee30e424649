//! Whether the records of a share agree with each other: folds over what the stores' scans give, and plans that
//! repair what can be repaired.
//!
//! Nothing in here decides that a share is damaged: a share that is used changes while it is checked. A fold reports
//! possible findings; the caller checks them a second time (see `docs/decisions/0012-check.md`).

mod content;
mod finding;
mod map;
mod names;
mod nodes;
mod objects;
mod repair;

pub use content::{BlockUses, Damage, DamagedBlock, UsedBlock, damaged_ranges, uses_in, verify_block};
pub use finding::{Finding, Severity};
pub use map::{MapFold, Used, map_from, references_in};
pub use names::{Counted, EntrySeen, judge_folded, judge_names, judge_parent};
pub use nodes::{NodeFacts, NodeTable, reference_digest};
pub use objects::{ObjectFacts, ObjectTable};
pub use repair::{
    Adoption, LOST_AND_FOUND, adopt, adopted_name, break_second_name, clear_unlinked, correct_allocated, correct_links,
    correct_parent, correct_statistics, correct_xattrs, drop_note, insert_reference, make_lost_and_found,
    mark_pending_delete, put_note, refold, remove_dangling, remove_reference, remove_xattrs, revive,
};

#[cfg(test)]
mod tests;
