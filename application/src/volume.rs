//! The running state of one share.

mod again;
mod aside;
mod atime;
mod attributes;
mod background;
mod backup;
mod breathe;
mod check;
mod clone;
mod commit;
mod discard;
mod fetch;
mod flush;
mod full;
mod garbage;
mod gate;
mod ids;
mod keys;
mod ledger;
mod listing;
mod names;
mod newest;
mod open;
mod opens;
mod outage;
mod overlay;
mod pending;
mod pins;
mod ports;
mod publish;
mod punch;
mod quota;
mod read;
mod readahead;
mod reap;
mod recovery;
mod renewal;
mod repack;
mod repeated;
mod replace;
mod resize;
mod scan;
mod sealing;
mod seek;
mod settle;
mod statistics;
mod unreadable;
mod walk;
mod write;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    Attributes, Epoch, Node, NodeId, Scale, ShareId, Timestamp,
    content::map::Facts,
    error::{FsError, FsResult},
    flush::Policy,
    ownership::Phase,
};
use dittofs_ports::{
    BlockCache, Caller, Clock, ContentStore, DiskCache, FrameCodec, FrameSealer, HandleSealer, Journal, MetadataError,
    OpenState, Presented, Randomness, ShareMetadata, Spawner, Survives, WeakAttributes, WriteVerifier,
};
use tokio::sync::Notify;

use crate::{
    admission::Admission, keyed::KeyedLocks, owned::OwnedContent, policy::SharePolicy, replicated::Replicated,
};
pub(crate) use again::STRIDE;
pub(crate) use backup::Frozen;
pub use check::{CheckStores, check_stores};
use ids::Numbers;
pub use open::{OpenError, VolumeSettings};
use pending::PendingNodes;
pub use pins::{UnpinError, pinning, unpin_all};
pub use recovery::Recovered;
pub use scan::{NodePage, nodes_after};
pub use unreadable::path_of;

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
    /// How long a write waits for room, in milliseconds, before the client is told to come again.
    pub write_wait_ms_max: u64,
    /// How long reads are put off while the content store does not answer, in milliseconds, before they fail.
    pub outage_ms_max: u64,
    /// Bytes that are fetched ahead of readers, on their way or waiting to be read.
    pub readahead_bytes_max: u64,
}

impl Default for VolumeLimits {
    fn default() -> Self {
        VolumeLimits {
            unflushed_bytes_max: 1 << 30,
            write_wait_ms_max: 10_000,
            outage_ms_max: 300_000,
            readahead_bytes_max: 128 << 20,
        }
    }
}

/// One share, running.
pub struct Volume {
    name: String,
    sealer: HandleSealer,
    policy: Replicated<SharePolicy>,
    flush_policy: Policy,
    scale: Scale,
    stores: VolumeStores,
    /// The same objects, with the lease that they are held by.
    owned: Arc<OwnedContent>,
    machine: Machine,
    epoch: Epoch,
    verifier: AtomicU64,
    turns: KeyedLocks<NodeId>,
    keys: keys::ShareKeys,
    flights: fetch::Flights,
    reach: fetch::Reach,
    /// Heads of blocks, which save a round trip each: the cache may not keep them beside many frames.
    heads: parking_lot::Mutex<newest::Newest>,
    pending: PendingNodes,
    opens: opens::Opens,
    numbers: Numbers,
    admission: Admission,
    /// Closed for changes while a backup takes the share as it is.
    gate: gate::Gate,
    /// Held by who condemns, deletes and repacks objects, and by a backup until those that it needs are pinned. Taken
    /// before `gate`, and that before `flushing`.
    collecting: tokio::sync::Mutex<()>,
    /// Backups that an earlier start did not end.
    unfinished: parking_lot::Mutex<Vec<dittofs_domain::backup::BackupId>>,
    flushing: tokio::sync::Mutex<()>,
    aside: aside::Aside,
    access_times: atime::AccessTimes,
    full: full::Full,
    outage: outage::Outage,
    outage_max: std::time::Duration,
    /// One check at a time.
    checking: tokio::sync::Mutex<()>,
    ledger: ledger::Ledger,
    /// Objects that lost a reference: garbage, if it was the last one.
    suspects: parking_lot::Mutex<std::collections::BTreeSet<dittofs_domain::ObjectId>>,
    condemned: parking_lot::Mutex<Vec<garbage::Condemned>>,
    discards: parking_lot::Mutex<discard::Discards>,
    /// Held for reading by who clones, which makes new references to blocks, and for writing by who looks for dead ones.
    /// Taken after turns.
    cloning: tokio::sync::RwLock<()>,
    /// Objects that may be mostly dead.
    dying: parking_lot::Mutex<std::collections::BTreeMap<dittofs_domain::ObjectId, repack::Dying>>,
    /// How much goes into an object where there is little room.
    flush_steps: parking_lot::Mutex<full::Steps>,
    /// How repacking gets on where there is little room.
    repacking: parking_lot::Mutex<repack::Pace>,
    readahead: readahead::Readahead,
    reaping: Notify,
    /// The journal has given records up.
    room: Notify,
    closing: AtomicBool,
    closed: Notify,
    renewal: renewal::Renewal,
    recovered: Recovered,
    told: unreadable::Told,
    refused_ports: ports::RefusedPorts,
    counters: statistics::Counters,
}

impl std::fmt::Debug for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Volume").field("name", &self.name).field("share", &self.share()).finish_non_exhaustive()
    }
}

impl Volume {
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

    /// Its policy. Not to be held for long.
    pub fn policy(&self) -> parking_lot::RwLockReadGuard<'_, SharePolicy> {
        self.policy.read()
    }

    /// Goes on by another policy: calls that come from now on are judged by it.
    pub fn set_policy(&self, policy: SharePolicy) {
        self.ledger.set_quota(policy.quota);
        self.policy.change(|current| current.clone_from(&policy));
    }

    /// What acknowledged data survive: the least of its stores.
    pub fn survives(&self) -> Survives {
        self.stores.metadata_survives.min(self.stores.journal.survives().max(self.stores.content.survives()))
    }

    /// Whether the share's objects are known to be its own, so that they can be read. A share may be opened before its
    /// content store has said so.
    pub fn knows_objects(&self) -> bool {
        self.owned.is_own()
    }

    /// Whether the share's objects are held: what is flushed goes there at once. An earlier owner's requests may have to
    /// be waited for.
    pub fn holds_objects(&self) -> bool {
        self.owned.phase() == Some(Phase::Held)
    }

    /// What was found in the journal when the share was opened.
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Admits a client and maps its identity.
    ///
    /// # Errors
    /// `Access` if its address is in none of the share's networks, or it calls from a port that the share does not take.
    pub fn admit(&self, who: &Presented) -> FsResult<Caller> {
        let policy = self.policy.read();
        if !policy.admits(who.address) {
            return Err(FsError::Access);
        }
        if !policy.takes_port(who.port) {
            self.tell_refused_port(who);
            return Err(FsError::Access);
        }
        let credentials = policy.credentials(who.identity.as_ref());
        Ok(Caller { credentials, opener: None, client: who.client })
    }

    /// The sizes by which its files are cut.
    pub(crate) fn scale(&self) -> &Scale {
        &self.scale
    }

    /// What the rules of maps need to know of a file.
    pub(crate) fn facts(&self, node: &Node) -> Facts {
        Facts::of(node, &self.scale)
    }

    /// The verifier that writes and commits are answered with.
    pub(crate) fn write_verifier(&self) -> WriteVerifier {
        WriteVerifier(self.verifier.load(Ordering::Acquire))
    }

    /// A failed sync: clients must send again what was not committed.
    pub(crate) fn renew_verifier(&self) {
        self.verifier.store(self.machine.randomness.bits64(), Ordering::Release);
    }

    fn now(&self) -> Timestamp {
        self.machine.clock.now()
    }

    /// Its objects.
    pub(crate) fn content(&self) -> &dyn ContentStore {
        &*self.stores.content
    }

    /// What the machine gives to it.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    fn demand_writable(&self) -> FsResult<()> {
        if self.policy.read().read_only {
            return Err(FsError::ReadOnly);
        }
        // What is changed now would be lost, or change what is not the share's newest state.
        if self.owned.is_refused() { Err(FsError::Io) } else { Ok(()) }
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
