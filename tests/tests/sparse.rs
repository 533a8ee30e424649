//! Holes and clones through the services: to the byte, at once, and without a byte moving.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "sparse/clones.rs"]
mod clones;
#[path = "sparse/counted.rs"]
mod counted;
#[path = "sparse/holes.rs"]
mod holes;
#[path = "sparse/share.rs"]
mod share;
#[path = "sparse/slices.rs"]
mod slices;
