//! The failures of a share's stores, in the log and to clients.

use dittofs_domain::{NodeId, ObjectId, content::map::MapError, error::FsError};
use dittofs_ports::{ApplyError, BackupError, ContentError, MetadataError, OpenStateError};

use crate::volume::share::Share;

impl Share {
    pub(in crate::volume) fn content_failed(&self, node: NodeId, object: ObjectId, error: &ContentError) -> FsError {
        match error {
            ContentError::Unavailable(_) => {
                tracing::warn!(share = %self.name, %node, %object, %error, "content store does not answer");
                FsError::Busy
            }
            ContentError::Full => FsError::NoSpace,
            ContentError::NotFound | ContentError::Exists | ContentError::Corrupt(_) => {
                self.counters.damaged_reads.count();
                tracing::error!(share = %self.name, %node, %object, %error, "content store is damaged");
                FsError::Io
            }
        }
    }

    pub(in crate::volume) fn damaged(&self, node: NodeId, object: ObjectId, what: &str) -> FsError {
        self.counters.damaged_reads.count();
        tracing::error!(share = %self.name, %node, %object, what, "an object is damaged");
        FsError::Io
    }

    /// Logs that a file's map is damaged.
    pub(in crate::volume) fn map_failed(&self, node: NodeId, error: &MapError) -> FsError {
        tracing::error!(share = %self.name, %node, %error, "the map of a file is damaged");
        FsError::Io
    }

    pub(in crate::volume) fn apply_failed(&self, error: &ApplyError) -> FsError {
        match error {
            ApplyError::Conflict => FsError::Busy,
            ApplyError::Full => FsError::NoSpace,
            ApplyError::Malformed => {
                tracing::error!(share = %self.name, "metadata store refuses a plan as malformed");
                FsError::Io
            }
            // Only operations without a name come here with what is unknown: doing them twice is doing them once.
            ApplyError::Unavailable(_) | ApplyError::Unknown(_) => {
                tracing::warn!(share = %self.name, %error, "metadata store does not answer");
                FsError::Busy
            }
            ApplyError::Corrupt(_) => {
                tracing::error!(share = %self.name, %error, "metadata store is damaged");
                FsError::Io
            }
        }
    }

    /// The same for who makes a backup.
    pub(crate) fn not_read(&self, source: MetadataError) -> BackupError {
        BackupError::Metadata { share: self.name.to_owned(), source }
    }

    /// Logs why the metadata store failed, and says what the client gets.
    pub(in crate::volume) fn metadata_failed(&self, error: &MetadataError) -> FsError {
        match error {
            MetadataError::Unavailable(_) => {
                tracing::warn!(share = %self.name, %error, "metadata store does not answer");
                FsError::Busy
            }
            MetadataError::Corrupt(_) => {
                tracing::error!(share = %self.name, %error, "metadata store is damaged");
                FsError::Io
            }
        }
    }

    /// Logs why the store of opens failed, and says what the client gets.
    pub(in crate::volume) fn opens_failed(&self, error: &OpenStateError) -> FsError {
        match error {
            OpenStateError::Full => FsError::NoSpace,
            OpenStateError::Unavailable(_) => {
                tracing::warn!(share = %self.name, %error, "store of opens does not answer");
                FsError::Busy
            }
            OpenStateError::Corrupt(_) => {
                tracing::error!(share = %self.name, %error, "store of opens is damaged");
                FsError::Io
            }
        }
    }
}
