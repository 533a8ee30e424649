//! The options of the store, scheme by scheme.

#[cfg(any(feature = "s3", feature = "gcs", feature = "azblob"))]
mod endpoint;
#[cfg(any(feature = "s3", feature = "gcs", feature = "azblob"))]
pub(crate) use endpoint::without_user;

#[cfg(feature = "operator")]
mod remote;
#[cfg(feature = "operator")]
mod transfer;

#[cfg(feature = "azblob")]
pub use remote::{AzblobCredentials, AzblobOptions};
#[cfg(feature = "gcs")]
pub use remote::{GcsCredentials, GcsOptions};
#[cfg(feature = "s3")]
pub use remote::{S3Addressing, S3Checksum, S3Credentials, S3Options};
#[cfg(feature = "operator")]
pub use transfer::{Secret, TransferOptions};

use std::path::PathBuf;

/// Where objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObjectStoreOptions {
    /// In a folder.
    Fs(FsOptions),
    /// In memory, by OpenDAL: for trying out what the other schemes share.
    #[cfg(feature = "memory")]
    Memory(MemoryOptions),
    /// In a bucket of S3, or of something that speaks its protocol.
    #[cfg(feature = "s3")]
    S3(S3Options),
    /// In a bucket of Google Cloud Storage.
    #[cfg(feature = "gcs")]
    Gcs(GcsOptions),
    /// In a container of Azure Blob Storage.
    #[cfg(feature = "azblob")]
    Azblob(AzblobOptions),
}

/// Options of a store in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsOptions {
    /// The folder; it is made if it is not there.
    pub path: PathBuf,
    /// Objects that are kept open for reading: each takes a file descriptor.
    pub open_files: usize,
}

impl FsOptions {
    /// A store in this folder, everything else as usual.
    pub fn new(path: impl Into<PathBuf>) -> FsOptions {
        // Each takes a descriptor: a quarter of the 1,024 that a process mostly may have without asking for more.
        FsOptions { path: path.into(), open_files: 256 }
    }
}

/// Options of a store in memory.
#[cfg(feature = "memory")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryOptions {}
