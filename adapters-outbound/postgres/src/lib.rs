//! Metadata in a PostgreSQL database, of version 14 or later.
//!
//! - A view is one statement, and so of one instant. A plan is one call of a function in the database, which locks
//!   rows in one order, checks what the plan expects, and then changes them, in one transaction of one round trip.
//! - Plans whose entries are in one directory wait for each other there; those that come meanwhile go in one call.
//! - Each call has a time limit. A connection whose answer did not come is closed, its session in the database is
//!   ended, and only then is the same plan sent again under the same operation. So no plan is applied twice, or late.
//! - A share is one server's at a time: a lock of a session that ends with it says so, and a number that each change
//!   names.
//! - Nothing is kept between requests: whoever reads asks the database.
//!
//! The tables are in `migrations`, and why they are so in `docs/decisions/0045-postgresql.md`.
//!
//! This crate does not know what a plan means.

mod apply;
mod claims;
mod connection;
mod connections;
mod extents;
mod fault;
mod folding;
mod lanes;
mod lost;
mod migrations;
mod node;
mod numbers;
mod options;
mod share;
mod share_row;
mod statements;
mod store;
mod users;
mod view;

pub use connection::ConnectError;
pub use migrations::MigrationError;
pub use options::{PostgresOptions, Secret, SslMode};
pub use store::{OpenError, PostgresMetadataStore};
