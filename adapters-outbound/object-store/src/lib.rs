//! Objects in a folder or in an object store.
//!
//! `fs` is written for folders: it gives promises that OpenDAL's own does not (see `docs/decisions/0009-objects.md`).
//! Every other scheme is OpenDAL's, behind a cargo feature of its name, and takes a file like `operator/memory.rs`.

mod error;
mod fs;
mod layout;
mod mark;
#[cfg(feature = "operator")]
mod operator;
mod options;
mod owner;
mod redaction;
mod store;

pub use error::OpenError;
#[cfg(feature = "memory")]
pub use options::MemoryOptions;
#[cfg(feature = "azblob")]
pub use options::{AzblobCredentials, AzblobOptions};
pub use options::{FsOptions, ObjectStoreOptions};
#[cfg(feature = "gcs")]
pub use options::{GcsCredentials, GcsOptions};
#[cfg(feature = "s3")]
pub use options::{S3Addressing, S3Checksum, S3Credentials, S3Options};
#[cfg(feature = "operator")]
pub use options::{Secret, TransferOptions};
pub use redaction::without_passwords;
pub use store::ObjectStore;
