//! The ports that the application needs: stores, a journal, a cache, and services of the machine.

mod backup_folder;
mod block_cache;
mod content_store;
mod disk_cache;
mod error;
mod frame_codec;
mod frame_sealer;
mod journal;
mod lock_clients;
mod machine;
mod metadata_store;
mod open_state;
mod secret_sealer;
mod snapshot;
mod user_store;

pub use backup_folder::{
    BackupFolderError, BackupFolders, BackupReader, BackupRows, BackupWriter, Manifest, ObjectInBackup, RowsInBackup,
    ShareInBackup,
};
pub use block_cache::{BlockCache, CacheUsage, FrameKey};
pub use content_store::{Capacity, Claim, ContentStore, Marked};
pub use disk_cache::{DiskCache, DiskCacheUsage};
pub use error::{
    ApplyError, CodecError, ContentError, JournalError, LockClientsError, MetadataError, OpenStateError, SealError,
    SecretError, Source, UserStoreError,
};
pub use frame_codec::FrameCodec;
pub use frame_sealer::FrameSealer;
pub use journal::{Appended, Journal, JournalIdentity, JournalUsage, Record};
pub use lock_clients::LockClients;
pub use machine::{Clock, Randomness, Spawner};
pub use metadata_store::{Counter, KeysInUse, Listed, Listing, MetadataStore, ShareMetadata, ShareRecord};
pub use open_state::{OpenChange, OpenHint, OpenQuestion, OpenState};
pub use secret_sealer::SecretSealer;
pub use snapshot::{ShareSnapshot, SnapshotRow};
pub use user_store::{Revision, StoredUser, UserStore};

#[cfg(feature = "mocks")]
pub use {
    block_cache::MockBlockCache,
    content_store::MockContentStore,
    disk_cache::MockDiskCache,
    frame_codec::MockFrameCodec,
    frame_sealer::MockFrameSealer,
    journal::MockJournal,
    lock_clients::MockLockClients,
    machine::{MockClock, MockRandomness, MockSpawner},
    metadata_store::{MockMetadataStore, MockShareMetadata},
    open_state::MockOpenState,
    secret_sealer::MockSecretSealer,
    user_store::MockUserStore,
};

/// The failures that data survive once a store has acknowledged them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Survives {
    /// Nothing: not even the end of the process.
    Nothing,
    /// The end of the process.
    Process,
    /// A power cut.
    PowerLoss,
    /// The loss of the machine.
    MachineLoss,
}
