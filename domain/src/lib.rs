//! The rules of the file system, and nothing else.
//!
//! This crate does not know: any store, protocol, clock, source of randomness, thread or task. It decides; others
//! read, apply and send. Everything in it is a plain value or a pure function over plain values.
//!
//! | module | what it decides |
//! |---|---|
//! | [`namespace`] | every POSIX rule over names: view and request in, [`plan::Plan`] or [`FsError`] out |
//! | [`content`] | the map of a file: pages, extents, hole runs, slices that are still in the journal |
//! | [`access`] | `granted()`: the only place where permission bits are read, and lists are asked |
//! | [`acl`] | access control lists: what they grant, their modes, how they are inherited |
//! | [`opens`] | open files, share modes, byte-range locks, caching rights: one conflict matrix |
//! | [`ownership`] | who may change a share's objects, and whether its stores are of one time |
//! | [`flush`] | when unflushed bytes go to the content store, and in what shape |
//! | [`check`] | whether the records of a share agree with each other |
//! | [`backup`] | which objects backups pin |
//! | [`users`] | names of users, their identifiers, which of them a share lets in |
//! | [`xattr`] | extended attributes: their names, their bounds, how sets of them change |
//! | [`watch`] | which changes of names and attributes watchers of directories are told of, and what is kept for them |
//! | [`quota`] | what things count for, and whether a share may hold more |
//! | [`scale`] | the sizes by which files are divided |
//! | [`crc32c`] | no rule: the checksum of what adapters write and compare |
//! | [`counters`] | no rule: counts and latencies, which every layer may keep |
//! | [`plan`] | the language between the rules and the stores |
#![deny(missing_docs)]

pub mod access;
pub mod acl;
pub mod attributes;
pub mod backup;
pub mod bugs;
pub mod check;
pub mod client;
pub mod content;
pub mod counters;
pub mod crc32c;
pub mod credentials;
pub mod error;
pub mod flush;
pub mod handle;
pub mod id;
pub mod name;
pub mod namespace;
pub mod node;
pub mod opens;
pub mod ownership;
pub mod plan;
pub mod quota;
pub mod scale;
pub mod time;
pub mod users;
pub mod watch;
pub mod xattr;

pub use acl::Acl;
pub use attributes::Attributes;
pub use client::{ClientId, LockClient};
pub use credentials::Credentials;
pub use error::FsError;
pub use handle::{Handle, HandleKey};
pub use id::{
    ChangeId, ContentVersion, Cookie, Epoch, KeyId, NodeId, ObjectId, OpId, PlaceId, Sequence, ShareId, Tree,
};
pub use name::{FoldTable, Name};
pub use node::{Node, NodeKind};
pub use scale::Scale;
pub use time::Timestamp;
