//! Traits only: what the application offers to protocols (inbound), and what it needs from stores and the machine
//! (outbound).
//!
//! This crate does not know: any adapter, any runtime, how anything is stored or sent. Each method's contract stands
//! in its documentation as bullets; the conformance suites of the `tests` crate check them on every adapter.
#![deny(missing_docs)]

pub mod forward;
pub mod inbound;
pub mod outbound;
pub mod statistics;

pub use inbound::{
    Account, AccountError, AccountService, AcknowledgeFailure, AdminService, AllocatedRanges, BackupError,
    BackupObserver, BackupPhase, BackupProgress, BackupReport, BackupRequest, BlockService, CacheKey, CacheRequest,
    Caller, CaseRule, ChangeListener, Changed, CheckObserver, CheckOptions, CheckPhase, CheckProgress, CheckReport,
    Checked, CloneRange, CommitReply, Created, Entered, Entry, EntryService, HandleSigner, Linked, ListReply,
    ListRequest, LockReply, LockRequest, Lookup, LookupName, MetadataService, NameKind, NamedStream, NewNode, NewUser,
    NodeRef, OpenEvents, OpenFailure, OpenNameRequest, OpenRequest, OpenService, Opened, OpenedName, PinningBackup,
    Presented, ReadReply, RecoveryService, Renamed, RepairOutcome, SealedUnder, Seek, ShareChange, ShareInfo,
    ShareServices, ShareSpace, Stability, UserChange, UserInfo, Watch, WatchReply, WatchRequest, WatchService,
    WeakAttributes, WriteReply, WriteVerifier,
};
pub use outbound::{
    Appended, ApplyError, BackupFolderError, BackupFolders, BackupReader, BackupRows, BackupWriter, BlockCache,
    CacheUsage, Capacity, Claim, Clock, CodecError, ContentError, ContentStore, Counter, DiskCache, DiskCacheUsage,
    FrameCodec, FrameKey, FrameSealer, Journal, JournalError, JournalIdentity, JournalUsage, KeysInUse, Listed,
    Listing, LockClients, LockClientsError, Manifest, Marked, MetadataError, MetadataStore, ObjectInBackup, OpenChange,
    OpenHint, OpenQuestion, OpenState, OpenStateError, Randomness, Record, Revision, RowsInBackup, SealError,
    SecretError, SecretSealer, ShareInBackup, ShareMetadata, ShareRecord, ShareSnapshot, SnapshotRow, Spawner,
    StoredUser, Survives, UserStore, UserStoreError,
};

#[cfg(feature = "mocks")]
pub mod mocks {
    //! Mocks of the ports, made by mockall.
    pub use crate::inbound::{MockAccountService, MockAdminService, MockEntryService, MockRecoveryService};
    pub use crate::outbound::{
        MockBlockCache, MockClock, MockContentStore, MockDiskCache, MockFrameCodec, MockFrameSealer, MockJournal,
        MockLockClients, MockMetadataStore, MockOpenState, MockRandomness, MockSecretSealer, MockShareMetadata,
        MockSpawner, MockUserStore,
    };
    pub use crate::statistics::MockStatisticsService;
}
