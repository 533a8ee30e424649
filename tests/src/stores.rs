//! Stores that are no part of the program: they show what adding one takes (`docs/extending.md`), and
//! what no store of the program does yet.

mod leased;
mod logged;

pub use leased::LeasedMetadataStore;
pub use logged::LoggedContentStore;
