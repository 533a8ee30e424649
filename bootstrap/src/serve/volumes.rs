//! Makes the named stores once, and a volume for each share.

use std::{collections::BTreeMap, sync::Arc};

use dittofs_application::{Machine, Network, SharePolicy, Volume, VolumeLimits, VolumeSettings, VolumeStores};
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{HandleKey, Node, ShareId, credentials::IdentityPolicy};
use dittofs_frame_codec::Codec;
use dittofs_journal::NullJournal;
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{BlockCache, ContentStore, MetadataStore, ShareMetadata, ShareRecord};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};

use super::ServeError;
use crate::config::{Config, ShareConfig, StoreKinds, open_stores};

/// What a new share's root directory permits: as a new file system's.
const ROOT_MODE: u16 = 0o755;
/// Bytes that a share holds if no quota is set.
const BYTES_MAX: u64 = 1 << 50;

/// What a share's part of the journal is at least: a few transfers of 1 MiB, or no write could be admitted.
const JOURNAL_BYTES_MIN: u64 = 16 << 20;

type Named<P> = BTreeMap<String, Arc<P>>;

/// Opens all stores and shares.
pub(super) async fn open(config: &Config, kinds: &StoreKinds) -> Result<Vec<Arc<Volume>>, ServeError> {
    let failed = |(store, source)| ServeError::Store { store, source };
    let metadata = open_stores(&config.metadata, &kinds.metadata).await.map_err(failed)?;
    let content = open_stores(&config.content, &kinds.content).await.map_err(failed)?;
    let cache: Arc<dyn BlockCache> = Arc::new(MokaBlockCache::new(config.cache.memory.0));
    let randomness = SystemRandomness::new().map_err(|error| ServeError::Threads(std::io::Error::other(error)))?;
    let machine = Machine {
        clock: Arc::new(SystemClock::new()),
        randomness: Arc::new(randomness),
        spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
    };
    // Each share gets an equal part of the bound, so that none can starve the others.
    let journal_bytes = (config.journal.size.0 / config.shares.len().max(1) as u64).max(JOURNAL_BYTES_MIN);
    let mut volumes = Vec::with_capacity(config.shares.len());
    for share in &config.shares {
        let volume = open_share(share, &metadata, &content, &cache, &machine, journal_bytes).await?;
        volumes.push(volume);
    }
    Ok(volumes)
}

async fn open_share(
    share: &ShareConfig,
    metadata: &Named<dyn MetadataStore>,
    content: &Named<dyn ContentStore>,
    cache: &Arc<dyn BlockCache>,
    machine: &Machine,
    journal_bytes: u64,
) -> Result<Arc<Volume>, ServeError> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| ServeError::Share { share: share.name.clone(), source };
    let unknown = |store: &String| failed(format!("there is no store `{store}`").into());
    let store = metadata.get(&share.metadata_store).ok_or_else(|| unknown(&share.metadata_store))?;
    let content = content.get(&share.content_store).ok_or_else(|| unknown(&share.content_store))?;
    let stores = VolumeStores {
        metadata: share_metadata(share, store, machine).await.map_err(failed)?,
        metadata_survives: store.survives(),
        content: Arc::clone(content),
        journal: Arc::new(NullJournal::new(journal_bytes)),
        cache: Arc::clone(cache),
        opens: Arc::new(MemoryOpenState::new()),
        codec: Arc::new(Codec::none()),
    };
    let limits = VolumeLimits { unflushed_bytes_max: journal_bytes, ..VolumeLimits::default() };
    let volume =
        Volume::open(stores, VolumeSettings { limits, ..VolumeSettings::new(policy(share)) }, machine.clone()).await;
    volume.map_err(|error| failed(error.into()))
}

/// Finds the share in its store, or makes it.
async fn share_metadata(
    share: &ShareConfig,
    store: &Arc<dyn MetadataStore>,
    machine: &Machine,
) -> Result<Arc<dyn ShareMetadata>, Box<dyn std::error::Error + Send + Sync>> {
    let randomness = &*machine.randomness;
    let shares = store.shares().await?;
    let known = shares.into_iter().find(|record| match share.id {
        Some(id) => record.id == ShareId(id),
        None => record.name == share.name,
    });
    let id = match known {
        Some(record) => record.id,
        None => {
            let record = ShareRecord {
                id: ShareId(share.id.unwrap_or_else(|| randomness.bits64())),
                name: share.name.clone(),
                handle_key: HandleKey(randomness.bits128().to_be_bytes()),
                content_owner: randomness.bits128(),
                journal: 0,
                journal_incarnation: 0,
                dirty: false,
            };
            store.create_share(&record, &root(&policy(share), machine)).await?;
            record.id
        }
    };
    let metadata = store.share(id).await?;
    metadata.ok_or_else(|| format!("share {id} is not in its metadata store").into())
}

/// A new share's root directory. It belongs to what the root user becomes, who else could not put anything there.
fn root(policy: &SharePolicy, machine: &Machine) -> Node {
    Node::root(policy.identity.map_uid(0), policy.identity.map_gid(0), ROOT_MODE, machine.clock.now())
}

fn policy(share: &ShareConfig) -> SharePolicy {
    SharePolicy {
        clients: share.clients.iter().filter_map(|net| Network::new(net.addr(), net.prefix_len())).collect(),
        identity: IdentityPolicy {
            squash: share.squash,
            anonymous_uid: share.anonymous_uid,
            anonymous_gid: share.anonymous_gid,
        },
        read_only: share.read_only,
        bytes_max: share.quota.map_or(BYTES_MAX, |quota| quota.0),
    }
}
