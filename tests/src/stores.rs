//! Stores that are no part of the program: they show what adding one takes (`docs/extending.md`).

mod logged;

pub use logged::LoggedContentStore;
