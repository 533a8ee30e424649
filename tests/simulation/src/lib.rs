//! The whole core on a seeded single-threaded runtime with paused time, over a simulated journal, content store and
//! metadata store: clients work, things go wrong, the machine stops between any two steps and starts again, and what is
//! there is compared with what was acknowledged. One seed, one run.
//!
//! Everything here is test code, though it is a library.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod boundary;
mod bugs;
mod client;
mod content;
mod fault_schedule;
mod faults;
mod fsck;
mod invariants;
mod journal;
mod keys;
mod late;
mod life;
mod machine;
mod metadata;
mod oracle;
mod random;
mod run;
mod scales;
mod tiers;
mod trace;
mod verify;
mod world;

pub use boundary::{Boundary, Crossings};
pub use bugs::{BUGS, Bug, SeededBug};
pub use faults::{Fault, FaultCounts};
pub use run::{Failure, Options, Report, run};
pub use scales::Scales;
pub use tiers::Tiers;
