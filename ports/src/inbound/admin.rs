//! Management.

mod backup;
mod check;

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{ShareId, backup::BackupId, error::FsResult};

pub use backup::{
    BackupError, BackupObserver, BackupPhase, BackupProgress, BackupReport, BackupRequest, PinningBackup,
};
pub use check::{
    CheckObserver, CheckOptions, CheckPhase, CheckProgress, CheckReport, Checked, RepairOutcome, SealedUnder,
};

use crate::outbound::Survives;

/// The facts about a share that anybody may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareInfo {
    /// Its id.
    pub id: ShareId,
    /// Its name: an absolute path.
    pub name: String,
    /// Its name where clients know shares by one word: unlike that of any other in any case.
    pub short_name: String,
    /// Networks whose clients are admitted, as text; empty: nobody.
    pub clients: Vec<String>,
    /// Whether changes are refused.
    pub read_only: bool,
    /// Whether who speaks a protocol that can encrypt messages must do so.
    pub requires_encryption: bool,
    /// The failures that its acknowledged data survive.
    pub survives: Survives,
}

/// Space and nodes of a share (FSSTAT of RFC 1813, 3.3.18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareSpace {
    /// Bytes that it can hold.
    pub bytes_total: u64,
    /// Bytes that are free: what its quota and its store have left, whichever is less.
    pub bytes_free: u64,
    /// Bytes that it holds, with what nodes, names and targets count for.
    pub bytes_used: u64,
    /// Nodes that it can hold.
    pub nodes_total: u64,
    /// Nodes that are free.
    pub nodes_free: u64,
    /// Nodes that it holds.
    pub nodes_used: u64,
}

/// Information about shares, for protocols' listings and for operators.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AdminService: Send + Sync {
    /// All shares, by name.
    fn shares(&self) -> Vec<ShareInfo>;

    /// Space of a share; `Stale` if there is none with this id.
    async fn space(&self, share: ShareId) -> FsResult<ShareSpace>;

    /// Flushes everything that is unflushed; when it returns without an error all bytes acknowledged before the call
    /// are in their content stores.
    async fn flush(&self) -> FsResult<()>;

    /// Checks whether the records of a share agree with each other and its bytes with their checksums, while the share
    /// is used. Changes nothing: `NotSupported` for options that would; `Stale` if there is no such share; `Busy` where
    /// one is being checked already, or a store does not answer; `Io` where the metadata can't be read at all.
    async fn check(
        &self,
        share: ShareId,
        options: CheckOptions,
        observer: Arc<dyn CheckObserver>,
    ) -> FsResult<CheckReport>;

    /// Writes a backup while the shares are used. Each share is in it as of one instant, with everything that was
    /// acknowledged before the call, except for what the request allows to be missing. Changes wait for some seconds at
    /// most; reads do not wait. Where the backup fails, or its caller goes away, nothing stays pinned, and the files
    /// that were written have no manifest.
    async fn back_up(
        &self,
        request: BackupRequest,
        observer: Arc<dyn BackupObserver>,
    ) -> Result<BackupReport, BackupError>;

    /// The backups that pin something, share by share.
    async fn backups(&self) -> Result<Vec<PinningBackup>, BackupError>;

    /// Removes all pins of a backup, in every share. Returns how many bytes it had pinned.
    async fn release_backup(&self, backup: BackupId) -> Result<u64, BackupError>;
}
