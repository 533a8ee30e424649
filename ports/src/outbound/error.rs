//! How outbound ports fail. A storage library's error never leaves its adapter but as a source.

use thiserror::Error;

/// The cause of a store's failure, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A metadata store did not answer.
#[derive(Debug, Error)]
pub enum MetadataError {
    /// It may answer later.
    #[error("metadata store unavailable: {0}")]
    Unavailable(#[source] Source),
    /// The data that it holds makes no sense.
    #[error("metadata store damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A plan was not applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// An expectation does not hold: read and decide again. Nothing has changed.
    #[error("conflict")]
    Conflict,
    /// The store has no room. Nothing has changed.
    #[error("metadata store full")]
    Full,
    /// The plan has more than `PLAN_STEPS_MAX` steps or contradicts itself. Nothing has changed.
    #[error("malformed plan")]
    Malformed,
    /// See [`MetadataError::Unavailable`]. The plan was not sent: nothing has changed, nor will.
    #[error("metadata store unavailable: {0}")]
    Unavailable(#[source] Source),
    /// The plan was sent, but the answer did not come: whether it was applied is unknown.
    #[error("metadata store gives no answer: {0}")]
    Unknown(#[source] Source),
    /// See [`MetadataError::Corrupt`]. Nothing has changed.
    #[error("metadata store damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A change of a user was not made.
#[derive(Debug, Error)]
pub enum UserStoreError {
    /// The user is in another state than was expected. Nothing has changed.
    #[error("conflict")]
    Conflict,
    /// The store has no room. Nothing has changed.
    #[error("metadata store full")]
    Full,
    /// See [`MetadataError::Unavailable`]. Whether it was changed is not known.
    #[error("metadata store unavailable: {0}")]
    Unavailable(#[source] Source),
    /// See [`MetadataError::Corrupt`]. Nothing has changed.
    #[error("metadata store damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A user's secret was not sealed or opened. Nothing of it says that a password is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecretError {
    /// There is no key at all.
    #[error("the server has no key for the secrets of its users: {fix}")]
    NoKey {
        /// Where it was looked for, and what to do.
        fix: String,
    },
    /// The keys can't be used.
    #[error("the server's key for the secrets of its users can't be used: {fix}")]
    Unusable {
        /// Why, and what to do.
        fix: String,
    },
    /// Another key sealed it.
    #[error("the secret of a user is sealed with key {key_id}, which is not there: {fix}")]
    Unknown {
        /// The key.
        key_id: dittofs_domain::KeyId,
        /// Where it was looked for, and what to do.
        fix: String,
    },
    /// It was sealed for another user, or altered.
    #[error("the secret of a user is damaged: set a new password by `dittofs user passwd`")]
    Damaged,
}

/// A content store failed.
#[derive(Debug, Error)]
pub enum ContentError {
    /// No such object, or it is shorter than the range.
    #[error("no such object")]
    NotFound,
    /// An object with this id is there, with another content.
    #[error("object exists")]
    Exists,
    /// The store has no room.
    #[error("content store full")]
    Full,
    /// It may answer later.
    #[error("content store unavailable: {0}")]
    Unavailable(#[source] Source),
    /// The data that it returned makes no sense.
    #[error("content store damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A journal failed.
#[derive(Debug, Error)]
pub enum JournalError {
    /// It is full; draining helps.
    #[error("journal full")]
    Full,
    /// Its disk is full: it goes on once something in it is released, or once there is room.
    #[error("the journal's disk is full")]
    DiskFull,
    /// A record that was asked for is not there.
    #[error("no such journal record")]
    NotFound,
    /// A sync failed: what it covered may be lost, and the write verifier must change.
    #[error("journal sync failed: {0}")]
    SyncFailed(#[source] Source),
    /// Nothing can be written any longer.
    #[error("journal unavailable: {0}")]
    Unavailable(#[source] Source),
    /// A record fails its checksum where it must be whole.
    #[error("journal damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A store of opens failed.
#[derive(Debug, Error)]
pub enum OpenStateError {
    /// It keeps state of as many nodes as it may.
    #[error("open state full")]
    Full,
    /// It may answer later.
    #[error("open state unavailable: {0}")]
    Unavailable(#[source] Source),
    /// The data that it holds makes no sense.
    #[error("open state damaged: {0}")]
    Corrupt(#[source] Source),
}

/// The clients with locks were not read or kept.
#[derive(Debug, Error)]
pub enum LockClientsError {
    /// They can't be read or written.
    #[error("the list of clients with locks is unavailable: {0}")]
    Unavailable(#[source] Source),
    /// The data that it holds makes no sense.
    #[error("the list of clients with locks is damaged: {0}")]
    Corrupt(#[source] Source),
}

/// A frame was not decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// A codec that this program does not know.
    #[error("codec {0} is not known: a newer release may know it")]
    Unknown(u8),
    /// The bytes are not a frame of this codec, or one of another length.
    #[error("a compressed frame is damaged")]
    Damaged,
}

/// A frame was not sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// A key that is not there.
    #[error("key {key_id} is not known: {fix}")]
    Unknown {
        /// The key, as heads of blocks say it.
        key_id: dittofs_domain::KeyId,
        /// Where it was looked for, and what to do.
        fix: String,
    },
    /// Another key of the same number sealed it, or it was altered: which of them is not known.
    #[error(
        "no key {key_id} that is there opens it: if another key had this number once, {fix}, beside the one that is there"
    )]
    Wrong {
        /// The key's number.
        key_id: dittofs_domain::KeyId,
        /// Where it was looked for, and what to do.
        fix: String,
    },
    /// Another party sealed the bytes, they were sealed for another place, or they were altered.
    #[error("a sealed frame is not what was sealed for its place")]
    Damaged,
}
