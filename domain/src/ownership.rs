//! The right to change the objects of a share, and the check whether the parts of a share are of one time.
//!
//! The *owner* of a share's objects is a metadata store. Each *start* of a server on it has an epoch and a nonce, and
//! leaves them in the journal and in the owner's *mark* beside the objects. The *lineage* in the metadata says which
//! starts those metadata have given: a mark that they never gave was left by others, or by a later state of themselves.
//! The mark is also a *lease*: its holder renews it. A holder that can't prove that the lease is still its own does
//! nothing.

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
