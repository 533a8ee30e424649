//! Information classes of files, directories and volumes (MS-FSCC 2.4 and 2.5).
//!
//! A server collects facts ([`FileFacts`], [`DirectoryEntry`], [`VolumeFacts`]) and has one class encoded from them.
//! Classes and structures are cited by their titles in MS-FSCC: their clauses have other numbers in each edition.

pub mod changes;
pub mod directory;
pub mod ea;
pub mod file;
pub mod metadata;
pub mod name;
pub mod pattern;
pub mod posix;
pub mod query;
pub mod set;
#[cfg(test)]
pub(crate) mod strategies;
pub mod volume;

pub use changes::ChangeList;
pub use directory::{AppleFacts, DirectoryClass, DirectoryEntry, DirectoryPage, Push};
pub use ea::Ea;
pub use file::{FileClass, FileFacts, OpenFacts, StreamFacts};
pub use metadata::{FileMetadata, FileTimes};
pub use name::{FileName, InvalidName, NameFlaws, StreamType};
pub use pattern::{Pattern, PatternTooLong};
pub use posix::{PosixFacts, PosixFileType};
pub use query::{Encoded, QueryError};
pub use set::{SetError, SetFile};
pub use volume::{FileSystemAttributes, VolumeClass, VolumeFacts};
