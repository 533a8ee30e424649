//! A share on any stores, with everything that the machine gives under the test's control: for suites that work on the
//! services as a protocol would.

mod cache;
mod machine;

pub use cache::ForgetfulCache;
pub use machine::SteppedClock;

use std::{sync::Arc, time::Duration};

use dittofs_application::{
    Atime, Machine, Network, Registry, Services, SharePolicy, Volume, VolumeLimits, VolumeSettings, VolumeStores,
};
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Node, NodeId, ShareId,
    credentials::{IdentityPolicy, Squash},
};
use dittofs_frame_codec::Codec;
use dittofs_ports::{
    BlockCache, Caller, ContentStore, Journal, MetadataStore, NodeRef, OpenState, ShareMetadata, ShareRecord,
};
use machine::{RuntimeSpawner, SeededRandomness};

/// The id of the share.
pub const SHARE: ShareId = ShareId(0xD177_0F50);

/// One of each outbound port, all of them empty.
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

/// A running share. Its root directory belongs to user 0, and everybody may write to it.
pub struct World {
    /// The inbound ports.
    pub services: Arc<Services>,
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
        World::open_at_speed(stores, unflushed_bytes_max, seed, 1).await
    }

    /// The same where ages and graces pass so many times faster than they do: for stores that really take time.
    pub async fn open_at_speed(stores: Stores, unflushed_bytes_max: u64, seed: u64, speed: u32) -> World {
        let clock = Arc::new(SteppedClock::new(speed));
        let record = ShareRecord {
            id: SHARE,
            name: "/export".into(),
            handle_key: HandleKey([7; 16]),
            content_owner: 1,
            journal: 0,
            journal_incarnation: 0,
            dirty: false,
        };
        if stores.metadata.share(SHARE).await.unwrap().is_none() {
            stores.metadata.create_share(&record, &root()).await.unwrap();
        }
        let metadata = stores.metadata.share(SHARE).await.unwrap().unwrap();
        let volume_stores = VolumeStores {
            metadata: Arc::clone(&metadata),
            metadata_survives: stores.metadata.survives(),
            content: Arc::clone(&stores.content),
            journal: stores.journal,
            cache: stores.cache,
            opens: stores.opens,
            codec: Arc::new(Codec::none()),
        };
        let machine = Machine {
            clock: Arc::clone(&clock) as Arc<_>,
            randomness: Arc::new(SeededRandomness::new(seed)),
            spawner: Arc::new(RuntimeSpawner),
        };
        let policy = SharePolicy {
            clients: vec![Network::new([127, 0, 0, 1].into(), 8).unwrap()],
            identity: IdentityPolicy { squash: Squash::None, ..IdentityPolicy::default() },
            read_only: false,
            bytes_max: 1 << 40,
            atime: Atime::None,
        };
        let limits = VolumeLimits { unflushed_bytes_max, ..VolumeLimits::default() };
        let volume = Volume::open(volume_stores, VolumeSettings { limits, ..VolumeSettings::new(policy) }, machine)
            .await
            .unwrap();
        let services = Arc::new(Services::new(Arc::new(Registry::new(vec![Arc::clone(&volume)]))));
        World { services, clock, metadata, content: stores.content, volume }
    }

    /// A node of the share.
    pub fn node(&self, node: NodeId) -> NodeRef {
        NodeRef { share: SHARE, node }
    }

    /// Lets the share's own tasks run for so long.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Flushes and ends the share's own tasks.
    pub async fn close(&self) {
        self.volume.close().await.unwrap();
    }
}

/// A caller without an open.
pub fn caller(credentials: Credentials) -> Caller {
    Caller { client: ClientId(u64::from(credentials.uid)), credentials, opener: None }
}

fn root() -> Node {
    Node::root(0, 0, 0o777, SteppedClock::START)
}
