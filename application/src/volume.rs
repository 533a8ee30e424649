//! The running state of one share: its parts, each with fields of its own, over those below it.

mod again;
mod backup;
mod blocks;
mod breathe;
mod check;
mod compose;
mod counters;
mod files;
mod flusher;
mod garbage;
mod gate;
mod ledger;
mod lifecycle;
mod monitor;
mod names;
mod node_locks;
mod nodes;
mod numbers;
mod open;
mod open_table;
mod pending;
mod plans;
mod reclaimer;
mod renewal;
mod row;
mod scan;
mod sealing;
mod share;
mod tier;
mod watches;
mod write_back;

use std::sync::Arc;

use check::OnlineCheck;
use dittofs_domain::{
    FoldTable, ShareId,
    error::{FsError, FsResult},
    ownership::Phase,
};
use dittofs_ports::{
    BackupError, BlockCache, Caller, Clock, ContentStore, DiskCache, FrameCodec, FrameSealer, HandleSigner, Journal,
    MetadataError, OpenState, Presented, Randomness, ShareMetadata, Spawner, Survives,
};
use files::Files;
use flusher::Flusher;
use lifecycle::Lifecycle;
use monitor::Monitor;
use names::Names;
use open_table::OpenTable;
use parking_lot::RwLockReadGuard;
use plans::PlanRunner;
use share::Share;
use watches::Watches;
use write_back::WriteBack;

use crate::policy::SharePolicy;
pub(crate) use again::STRIDE;
pub(crate) use backup::{Freezer, Frozen};
pub use check::{CheckStores, check_stores};
pub use nodes::path_of;
pub use open::{OpenError, VolumeSettings};
pub(crate) use open_table::{DirectoryLeases, OpenTarget, Part};
pub use reclaimer::{UnpinError, pinning, unpin_all};
pub use scan::{NodePage, nodes_after};
pub use tier::Tier;
pub use write_back::Recovered;

/// The services that the machine gives to a volume.
#[derive(Clone)]
pub struct Machine {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub randomness: Arc<dyn Randomness>,
    /// Background tasks.
    pub spawner: Arc<dyn Spawner>,
}

/// The stores of one share.
#[derive(Clone)]
pub struct VolumeStores {
    /// Names, attributes, maps.
    pub metadata: Arc<dyn ShareMetadata>,
    /// The failure that the metadata survive.
    pub metadata_survives: Survives,
    /// Objects.
    pub content: Arc<dyn ContentStore>,
    /// Unflushed bytes.
    pub journal: Arc<dyn Journal>,
    /// Frames, shared by all shares.
    pub cache: Arc<dyn BlockCache>,
    /// Frames on a disk of this machine, if it keeps any.
    pub disk: Option<Arc<dyn DiskCache>>,
    /// Opens, locks and caching rights.
    pub opens: Arc<dyn OpenState>,
    /// How frames are compressed; those that are stored already are read whatever made them.
    pub codec: Arc<dyn FrameCodec>,
    /// Whether and how frames are sealed; those that are sealed already open with any key that it knows.
    pub sealer: Arc<dyn FrameSealer>,
}

/// Bounds of one share.
#[derive(Clone, Copy, Debug)]
pub struct VolumeLimits {
    /// Unflushed bytes, index entries included.
    pub unflushed_bytes_max: u64,
    /// Bytes that a record of unflushed bytes counts for beside its own: at least the memory of its entry in the index,
    /// and more where that is scarce, as a record may have a single byte.
    pub record_bytes: u64,
    /// How long a write waits for room, in milliseconds, before the client must come again.
    pub write_wait_ms_max: u64,
    /// How long reads are put off while the content store does not answer, in milliseconds, before they fail.
    pub outage_ms_max: u64,
    /// Bytes that are fetched ahead of readers, on their way or waiting to be read.
    pub readahead_bytes_max: u64,
}

impl VolumeLimits {
    /// Those of a share that has journal and read-ahead for itself, where nothing else is configured.
    pub const USUAL: VolumeLimits = VolumeLimits {
        // More would take longer to flush than those who wait for it like, and memory where the journal is there.
        unflushed_bytes_max: 1 << 30,
        // An entry by offset and one by sequence number in trees whose nodes are two thirds full.
        record_bytes: 150,
        // Clients send a call again only after a minute, and wait for others of theirs in the meantime.
        write_wait_ms_max: 10_000,
        // Stores are away for minutes when they are restarted or fail over; who reads would rather wait than fail.
        outage_ms_max: 300_000,
        // Some thirty blocks of 4 MiB on their way: what a fast network far away holds.
        readahead_bytes_max: 128 << 20,
    };
}

impl Default for VolumeLimits {
    fn default() -> Self {
        VolumeLimits::USUAL
    }
}

/// One share, running.
pub struct Volume {
    share: Arc<Share>,
    names: Names,
    files: Arc<Files>,
    opens: Arc<OpenTable>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    flusher: Arc<Flusher>,
    freezer: Freezer,
    check: OnlineCheck,
    monitor: Monitor,
    lifecycle: Arc<Lifecycle>,
    survives: Survives,
}

impl std::fmt::Debug for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Volume").field("name", &self.name()).field("share", &self.share()).finish_non_exhaustive()
    }
}

impl Volume {
    /// The share's id.
    pub fn share(&self) -> ShareId {
        self.share.id()
    }

    /// The share's name: an absolute path.
    pub fn name(&self) -> &str {
        self.share.name()
    }

    /// Returns the signer that makes and checks its handles.
    pub fn handle_signer(&self) -> &HandleSigner {
        self.share.signer()
    }

    /// Returns the table by which its names are folded.
    pub fn folding(&self) -> FoldTable {
        self.share.folding()
    }

    /// Returns its policy. Not to be held for long.
    pub fn policy(&self) -> RwLockReadGuard<'_, SharePolicy> {
        self.share.policy()
    }

    /// Goes on by another policy: calls that come from now on are judged by it.
    pub fn set_policy(&self, policy: SharePolicy) {
        self.plans.ledger().set_quota(policy.quota);
        self.share.set_policy(&policy);
    }

    /// Returns the failure that acknowledged data survive: the least of its stores.
    pub fn survives(&self) -> Survives {
        self.survives
    }

    /// Checks whether the share's objects are known to be its own, so that they can be read. A share may be opened
    /// before its content store has said so.
    pub fn knows_objects(&self) -> bool {
        self.share.owned().is_own()
    }

    /// Whether the share's objects are held: what is flushed goes there at once. An earlier owner's requests may have to
    /// be waited for.
    pub fn holds_objects(&self) -> bool {
        self.share.owned().phase() == Some(Phase::Held)
    }

    /// Returns what was found in the journal when the share was opened.
    pub fn recovered(&self) -> Recovered {
        self.monitor.recovered()
    }

    /// Admits a client and maps its identity.
    ///
    /// # Errors
    /// `Access` if its address is in none of the share's networks, or it calls from a port that the share does not take.
    pub fn admit(&self, who: &Presented) -> FsResult<Caller> {
        self.share.admit(who)
    }

    /// Stops the background tasks, after a last flush, and notes that the journal holds nothing that the stores don't,
    /// unless something is set aside in it. Nothing may be written any more.
    ///
    /// # Errors
    /// Those of the stores: then the next start replays what is left.
    pub async fn close(&self) -> Result<(), FsError> {
        self.lifecycle.close().await
    }

    /// Closes the share while others are served: first ends what is on its way to change it, then as [`Volume::close`].
    ///
    /// # Errors
    /// As [`Volume::close`].
    pub(crate) async fn retire(&self) -> Result<(), FsError> {
        self.freezer.close_for_good().await;
        self.lifecycle.close().await
    }

    /// Operations on names and attributes.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The content of files.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Who has what open.
    pub(crate) fn opens(&self) -> &OpenTable {
        &self.opens
    }

    /// Who watches what.
    pub(crate) fn watches(&self) -> &Watches {
        self.plans.watches()
    }

    /// Holds changes off, and takes the share as of one instant.
    pub(crate) fn freezer(&self) -> &Freezer {
        &self.freezer
    }

    /// Checks the share.
    pub(crate) fn check(&self) -> &OnlineCheck {
        &self.check
    }

    /// How the share does.
    pub(crate) fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Flushes everything that was acknowledged before the call.
    ///
    /// # Errors
    /// Those of the stores; `Io` where something is set aside.
    pub(crate) async fn flush_all(&self) -> FsResult<()> {
        self.flusher.flush_all_to_end().await?;
        self.write_back.demand_none_aside()
    }

    /// Whether the share is being closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.share.is_closing()
    }

    /// Returns the error of a backup that can't read the metadata.
    pub(crate) fn not_read(&self, source: MetadataError) -> BackupError {
        self.share.not_read(source)
    }

    /// Returns the services that the machine gives to it.
    pub(crate) fn machine(&self) -> &Machine {
        self.share.machine()
    }
}
