//! What callers get, and what stays, where a store or the journal fails.

mod content;
mod journal;
mod metadata;
mod world;
