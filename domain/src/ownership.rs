//! Who may change the objects of a share, and whether what belongs together is of one time.
//!
//! The *owner* of a share's objects is a metadata store. Each *start* of a server on it has an epoch and a nonce, and
//! leaves them in the journal and in the owner's *mark* beside the objects. The *lineage* in the metadata says which
//! starts those metadata have given: a mark that they never gave was left by others, or by a later state of themselves.
//! The mark is also a *lease*: who holds it renews it, and who can't prove that it is still his does nothing.

mod lease;
mod lineage;
mod mark;
mod tenure;

pub use lease::{Lease, Phase, Terms};
pub use lineage::{Lineage, Part, Standing, Start};
pub use mark::{Holder, Mark};
pub use tenure::{Claimant, Refusal, Step, Tenure};

#[cfg(test)]
mod tests;
