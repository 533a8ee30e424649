//! Rules that no compiler checks: the direction of dependencies, the size of files and functions, calls that a layer
//! may not make, files that nothing reaches, and invariants without a test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod calls;
mod dependencies;
mod documents;
mod lexer;
mod modules;
mod parts;
mod ports;
mod sizes;
mod sources;

/// Fails with everything that was found, not only the first.
fn assert_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}
