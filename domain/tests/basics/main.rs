//! Names, handles, times, identifiers and identities: what every other rule rests on.
#![allow(clippy::unwrap_used)]

mod folding;
mod handles;
mod identifiers;
mod identities;
mod names;
mod times;
