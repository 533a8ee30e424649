//! The services that the application offers: the way in and the administration for all shares, and the facades over
//! the volume of each share, which never call each other.
//!
//! One protocol operation is one call, permission check included. Every call takes a [`Caller`], which only
//! [`EntryService::enter`] and [`EntryService::mount`] give out, together with the services of its share.

mod account;
mod admin;
mod block;
mod caller;
mod entry;
mod metadata;
mod open;
mod recovery;
mod watch;

pub use account::{Account, AccountError, AccountService, NewUser, UserChange, UserInfo};
pub use admin::{
    AdminService, BackupError, BackupObserver, BackupPhase, BackupProgress, BackupReport, BackupRequest, CheckObserver,
    CheckOptions, CheckPhase, CheckProgress, CheckReport, Checked, PinningBackup, RepairOutcome, SealedUnder,
    ShareInfo, ShareSpace,
};
pub use block::{
    AllocatedRanges, BlockService, CloneRange, CommitReply, ReadReply, Seek, Stability, WriteReply, WriteVerifier,
};
pub use caller::{Caller, CaseRule, HandleSigner, NodeRef, Presented};
pub use entry::{Entered, EntryService, ShareServices};
pub use metadata::{
    Changed, Created, Entry, Linked, ListReply, ListRequest, Lookup, LookupName, MetadataService, NamedStream, Renamed,
    WeakAttributes,
};
pub use open::{
    AcknowledgeFailure, CacheKey, CacheRequest, LockReply, LockRequest, NameKind, NewNode, OpenEvents, OpenFailure,
    OpenNameRequest, OpenRequest, OpenService, Opened, OpenedName, ShareChange,
};
pub use recovery::RecoveryService;
pub use watch::{ChangeListener, Watch, WatchReply, WatchRequest, WatchService};

#[cfg(feature = "mocks")]
pub use {
    account::MockAccountService, admin::MockAdminService, entry::MockEntryService, recovery::MockRecoveryService,
};
