//! The running state of one share.

mod attributes;
mod background;
mod commit;
mod fetch;
mod flush;
mod garbage;
mod ids;
mod listing;
mod names;
mod opens;
mod pending;
mod publish;
mod read;
mod reap;
mod resize;
mod settle;
mod walk;
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    Attributes, Epoch, Node, NodeId, ShareId, Timestamp,
    error::{FsError, FsResult},
    flush::Policy,
};
use dittofs_ports::{
    BlockCache, Caller, Clock, ContentError, ContentStore, Counter, HandleSealer, Journal, JournalError, MetadataError,
    OpenState, Presented, Randomness, ShareMetadata, ShareSpace, Spawner, Survives, WeakAttributes, WriteVerifier,
};
use tokio::sync::Notify;

use crate::{admission::Admission, keyed::KeyedLocks, policy::SharePolicy};
use ids::Numbers;
use pending::PendingNodes;

/// Nodes that a share may hold, as clients are told: ids are never reused, so this is no promise.
const NODES_MAX: u64 = 1 << 40;

/// What the machine gives to a volume.
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
    /// What the metadata survive.
    pub metadata_survives: Survives,
    /// Objects.
    pub content: Arc<dyn ContentStore>,
    /// Unflushed bytes.
    pub journal: Arc<dyn Journal>,
    /// Frames, shared by all shares.
    pub cache: Arc<dyn BlockCache>,
    /// Opens, locks and caching rights.
    pub opens: Arc<dyn OpenState>,
}

/// Bounds of one share.
#[derive(Clone, Copy, Debug)]
pub struct VolumeLimits {
    /// Unflushed bytes, index entries included.
    pub unflushed_bytes_max: u64,
    /// How long a write waits for room, in milliseconds, before the client is told to come again.
    pub write_wait_ms_max: u64,
}

impl Default for VolumeLimits {
    fn default() -> Self {
        VolumeLimits { unflushed_bytes_max: 1 << 30, write_wait_ms_max: 10_000 }
    }
}

/// How a share is run.
#[derive(Clone, Debug)]
pub struct VolumeSettings {
    /// Who may use it, and how.
    pub policy: SharePolicy,
    /// Its bounds.
    pub limits: VolumeLimits,
    /// Opens the share although its journal or its objects are not those that it was written with: what was only in
    /// them is lost.
    pub accept_loss: bool,
}

impl VolumeSettings {
    /// A policy with the usual bounds.
    pub fn new(policy: SharePolicy) -> VolumeSettings {
        VolumeSettings { policy, limits: VolumeLimits::default(), accept_loss: false }
    }
}

/// Why a share can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The metadata store's error.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The journal's error.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The content store's error.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The journal is another one.
    #[error(
        "the journal is {found:032x}, but the share was written with {expected:032x}: give it back its own journal"
    )]
    ForeignJournal {
        /// Which it is.
        found: u128,
        /// Which it should be.
        expected: u128,
    },
    /// The journal is a copy from before its last use.
    #[error(
        "the journal is an older copy (its life {found}, the share was last written in its life {expected}): \
         give the share back its newest journal"
    )]
    OlderJournal {
        /// Its incarnation.
        found: u64,
        /// That with which the share was last used.
        expected: u64,
    },
    /// The objects are another share's.
    #[error("the objects in the content store belong to owner {found:032x}, not to this share's {expected:032x}")]
    ForeignContent {
        /// Whose they are.
        found: u128,
        /// Whose they should be.
        expected: u128,
    },
    /// The share has objects, but the content store knows nothing of it.
    #[error("the content store has nothing of this share, which has objects: give it back its content store")]
    ContentGone,
}

/// One share, running.
pub struct Volume {
    name: String,
    sealer: HandleSealer,
    policy: SharePolicy,
    flush_policy: Policy,
    stores: VolumeStores,
    machine: Machine,
    epoch: Epoch,
    verifier: AtomicU64,
    turns: KeyedLocks<NodeId>,
    fetches: KeyedLocks<(u128, u64)>,
    pending: PendingNodes,
    opens: opens::Opens,
    numbers: Numbers,
    admission: Admission,
    flushing: tokio::sync::Mutex<()>,
    /// Bytes that extents hold, as last read from the metadata store.
    stored_bytes: AtomicU64,
    /// Objects that lost a reference: garbage, if it was the last one.
    suspects: parking_lot::Mutex<std::collections::HashSet<dittofs_domain::ObjectId>>,
    condemned: parking_lot::Mutex<Vec<garbage::Condemned>>,
    reaping: Notify,
    closing: AtomicBool,
    closed: Notify,
}

impl std::fmt::Debug for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Volume").field("name", &self.name).field("share", &self.share()).finish_non_exhaustive()
    }
}

impl Volume {
    /// Opens a share.
    ///
    /// # Errors
    /// What of its stores can't be used, or is not what the share was written with.
    pub async fn open(
        stores: VolumeStores,
        settings: VolumeSettings,
        machine: Machine,
    ) -> Result<Arc<Volume>, OpenError> {
        let VolumeSettings { policy, limits, .. } = settings;
        let record = stores.metadata.record().await?;
        let epoch = stores.metadata.allocate(Counter::Epochs, 1).await?.start;
        let volume = Arc::new(Volume {
            sealer: HandleSealer { share: record.id, key: record.handle_key },
            name: record.name,
            policy,
            flush_policy: Policy::default(),
            epoch: Epoch(epoch),
            verifier: AtomicU64::new(machine.randomness.bits64()),
            turns: KeyedLocks::new(),
            fetches: KeyedLocks::new(),
            pending: PendingNodes::new(),
            opens: opens::Opens::new(),
            numbers: Numbers::new(),
            admission: Admission::new(
                limits.unflushed_bytes_max,
                std::time::Duration::from_millis(limits.write_wait_ms_max),
            ),
            flushing: tokio::sync::Mutex::new(()),
            stored_bytes: AtomicU64::new(0),
            suspects: parking_lot::Mutex::default(),
            condemned: parking_lot::Mutex::default(),
            reaping: Notify::new(),
            closing: AtomicBool::new(false),
            closed: Notify::new(),
            stores,
            machine,
        });
        volume.start_background();
        Ok(volume)
    }

    /// The share's id.
    pub fn share(&self) -> ShareId {
        self.sealer.share
    }

    /// The share's name: an absolute path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What makes and checks its handles.
    pub fn sealer(&self) -> &HandleSealer {
        &self.sealer
    }

    /// Its policy.
    pub fn policy(&self) -> &SharePolicy {
        &self.policy
    }

    /// What acknowledged data survive: the least of its stores.
    pub fn survives(&self) -> Survives {
        self.stores.metadata_survives.min(self.stores.journal.survives().max(self.stores.content.survives()))
    }

    /// Admits a client and maps its identity.
    ///
    /// # Errors
    /// `Access` if its address is in none of the share's networks.
    pub fn admit(&self, who: &Presented) -> FsResult<Caller> {
        if !self.policy.admits(who.address) {
            return Err(FsError::Access);
        }
        let credentials = self.policy.credentials(who.identity.as_ref());
        Ok(Caller { credentials, opener: None, client: who.client })
    }

    /// The verifier that writes and commits are answered with.
    pub(crate) fn write_verifier(&self) -> WriteVerifier {
        WriteVerifier(self.verifier.load(Ordering::Acquire))
    }

    /// A failed sync: clients must send again what was not committed.
    pub(crate) fn renew_verifier(&self) {
        self.verifier.store(self.machine.randomness.bits64(), Ordering::Release);
    }

    /// Space of the share.
    pub(crate) async fn space(&self) -> FsResult<ShareSpace> {
        let statistics = self.stores.metadata.statistics().await.map_err(|error| self.metadata_failed(&error))?;
        let stored = u64::try_from(statistics.bytes).unwrap_or(0);
        self.stored_bytes.store(stored, Ordering::Release);
        let used = stored.saturating_add(self.pending.bytes());
        let nodes = u64::try_from(statistics.nodes).unwrap_or(0);
        Ok(ShareSpace {
            bytes_total: self.policy.bytes_max,
            bytes_free: self.policy.bytes_max.saturating_sub(used),
            nodes_total: NODES_MAX,
            nodes_free: NODES_MAX.saturating_sub(nodes),
        })
    }

    /// Refuses bytes that the share has no room for, before anything is written.
    fn demand_space(&self, bytes: u64) -> FsResult<()> {
        let used = self.stored_bytes.load(Ordering::Acquire).saturating_add(self.pending.bytes());
        if used.saturating_add(bytes) > self.policy.bytes_max { Err(FsError::NoSpace) } else { Ok(()) }
    }

    fn now(&self) -> Timestamp {
        self.machine.clock.now()
    }

    /// The attributes of a node as clients see them: the only way out for any of them.
    fn overlay(&self, node: &Node) -> Attributes {
        self.pending.overlay(node)
    }

    fn weak(&self, node: &Node) -> WeakAttributes {
        weak(&self.overlay(node))
    }

    fn demand_writable(&self) -> FsResult<()> {
        if self.policy.read_only { Err(FsError::ReadOnly) } else { Ok(()) }
    }

    /// Logs why the metadata store failed, and says what the client gets.
    fn metadata_failed(&self, error: &MetadataError) -> FsError {
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
}

/// The part of the attributes that tells a client whether its cache is still good.
pub(crate) fn weak(attributes: &Attributes) -> WeakAttributes {
    WeakAttributes {
        size: attributes.size,
        mtime: attributes.mtime,
        ctime: attributes.ctime,
        change: attributes.change,
    }
}
