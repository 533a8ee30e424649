//! A share on any stores, with everything that the machine gives under the test's control: for suites that work on the
//! services as a protocol would.

mod cache;
mod disk;
mod longer_requests;
mod machine;

pub use cache::ForgetfulCache;
pub use disk::DiskOptions;
pub use machine::SteppedClock;

use std::{sync::Arc, time::Duration};

use dittofs_application::{
    Atime, Machine, Network, Registry, ServedShare, Services, SharePolicy, Volume, VolumeLimits, VolumeSettings,
    VolumeStores,
};
use dittofs_backup_folder::FolderBackups;
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Node, Scale, ShareId,
    credentials::{IdentityPolicy, Squash},
    quota::Quota,
    users::AccessList,
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::{Keyring, Sealer};
use dittofs_ports::{
    BackupFolders, BlockCache, Caller, CaseRule, Clock, ContentStore, FrameSealer, Journal, MetadataStore, OpenState,
    ShareMetadata, ShareRecord,
};
use longer_requests::LongerRequests;
use machine::{RuntimeSpawner, SeededRandomness};

/// The id of the share.
pub const SHARE: ShareId = ShareId(0xD177_0F50);

/// One of each outbound port, all of them empty.
#[derive(Clone)]
pub struct Stores {
    /// Names, attributes, maps.
    pub metadata: Arc<dyn MetadataStore>,
    /// Objects.
    pub content: Arc<dyn ContentStore>,
    /// Unflushed bytes.
    pub journal: Arc<dyn Journal>,
    /// Frames.
    pub cache: Arc<dyn BlockCache>,
    /// Opens, locks and caching rights.
    pub opens: Arc<dyn OpenState>,
}

/// How a share is opened.
pub struct WorldOptions {
    /// Room for so many unflushed bytes.
    pub unflushed_bytes_max: u64,
    /// The scale of a share that is made.
    pub scale: Scale,
    /// The seed of its randomness.
    pub seed: u64,
    /// Where time can't be paused, as some store works on a thread of its own, it passes so many times faster.
    pub speed: u32,
    /// How frames are compressed.
    pub codec: Codec,
    /// Seals and opens frames.
    pub sealer: Arc<dyn FrameSealer>,
    /// The bounds of what the share may hold.
    pub quota: Quota,
    /// Where its backups go.
    pub backups: Arc<dyn BackupFolders>,
}

impl WorldOptions {
    /// At the usual speed, without compression and keys, and with a quota that nothing meets.
    pub fn new(unflushed_bytes_max: u64, seed: u64) -> WorldOptions {
        WorldOptions {
            unflushed_bytes_max,
            scale: Scale::PRODUCTION,
            seed,
            speed: 1,
            codec: Codec::none(),
            sealer: Arc::new(Sealer::none()),
            quota: Quota { bytes: 1 << 40, ..Quota::NONE },
            backups: Arc::new(FolderBackups),
        }
    }
}

/// The scale of a test's share: by turns that of production, and the smallest one.
pub fn scale_of(turn: u64) -> Scale {
    if turn.is_multiple_of(2) { Scale::PRODUCTION } else { Scale::TINY }
}

/// Keys 1 to `newest`, of which the last one seals if it `seals` at all.
pub fn keys(newest: u32, seals: bool) -> Arc<Sealer> {
    let lines: String = (1..=newest).map(|id| format!("{id} {}\n", format!("{:02x}", id % 251).repeat(32))).collect();
    Arc::new(Sealer::with_keys(Keyring::parse(lines.as_bytes()).unwrap(), seals))
}

/// A running share. Its root directory belongs to user 0, and everybody may write to it.
pub struct World {
    /// The inbound ports that concern all shares.
    pub services: Arc<Services>,
    /// Those of this one.
    pub share: Arc<ServedShare>,
    /// The time of day.
    pub clock: Arc<SteppedClock>,
    /// The share's own metadata.
    pub metadata: Arc<dyn ShareMetadata>,
    /// The share's objects, among others'.
    pub content: Arc<dyn ContentStore>,
    volume: Arc<Volume>,
}

impl World {
    /// Opens a share on new stores, with room for so many unflushed bytes. Needs a tokio runtime whose time is paused:
    /// then ages and graces pass at once.
    pub async fn open(stores: Stores, unflushed_bytes_max: u64, seed: u64) -> World {
        World::open_with(stores, WorldOptions::new(unflushed_bytes_max, seed)).await
    }

    /// The same with all options. A share that the stores have already is opened again.
    pub async fn open_with(stores: Stores, options: WorldOptions) -> World {
        let WorldOptions { unflushed_bytes_max, scale, seed, speed, codec, sealer, quota, backups } = options;
        let clock = Arc::new(SteppedClock::new(speed));
        let record = ShareRecord {
            handle_key: HandleKey([7; 16]),
            content_owner: 1,
            scale,
            ..ShareRecord::new(SHARE, "/export")
        };
        if stores.metadata.share(SHARE).await.unwrap().is_none() {
            stores.metadata.create_share(&record, &root()).await.unwrap();
        }
        let metadata = stores.metadata.share(SHARE).await.unwrap().unwrap();
        let volume_stores = VolumeStores {
            metadata: Arc::clone(&metadata),
            metadata_survives: stores.metadata.survives(),
            content: Arc::new(LongerRequests { store: Arc::clone(&stores.content), speed }),
            journal: stores.journal,
            cache: stores.cache,
            disk: None,
            opens: stores.opens,
            codec: Arc::new(codec),
            sealer,
        };
        let machine = Machine {
            clock: Arc::clone(&clock) as Arc<_>,
            randomness: Arc::new(SeededRandomness::new(seed)),
            spawner: Arc::new(RuntimeSpawner),
        };
        let policy = SharePolicy {
            short_name: "export".to_owned(),
            requires_encryption: false,
            clients: vec![Network::new([127, 0, 0, 1].into(), 8).unwrap()],
            identity: IdentityPolicy { squash: Squash::None, ..IdentityPolicy::default() },
            secure_ports: true,
            access: AccessList::Everybody,
            read_only: false,
            quota,
            atime: Atime::None,
        };
        let mut limits = VolumeLimits { unflushed_bytes_max, ..VolumeLimits::default() };
        // A disk is not faster because time is.
        limits.write_wait_ms_max *= u64::from(speed);
        let volume =
            Volume::open(volume_stores, VolumeSettings { limits, scale, ..VolumeSettings::new(policy) }, machine)
                .await
                .unwrap();
        let services = Services::new(Arc::new(Registry::new(vec![Arc::clone(&volume)])));
        let services = Arc::new(services.writing_backups_to(backups));
        let share = services.share(SHARE).unwrap();
        World { services, share, clock, metadata, content: stores.content, volume }
    }

    /// Lets the share's own tasks run for so long.
    pub async fn pass(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// Whether time is the real one, so that the share's own tasks may need longer than they are given.
    pub fn is_real_time(&self) -> bool {
        self.clock.speed() > 1
    }

    /// Flushes and ends the share's own tasks.
    pub async fn close(&self) {
        self.volume.close().await.unwrap();
    }
}

/// A caller without an open.
pub fn caller(credentials: Credentials) -> Caller {
    Caller {
        client: ClientId::Nfs4(u64::from(credentials.uid)),
        credentials,
        opener: None,
        case: CaseRule::Sensitive,
        parent_lease: None,
    }
}

fn root() -> Node {
    Node::root(0, 0, 0o777, SteppedClock::START)
}
