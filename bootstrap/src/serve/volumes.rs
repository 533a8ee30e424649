//! Makes the named stores once, and a volume for each share.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use dittofs_admin::{UnnamedView, Watch};
use dittofs_application::{
    Machine, Network, OpenError, SharePolicy, Volume, VolumeLimits, VolumeSettings, VolumeStores,
};
use dittofs_block_cache::{DiskCacheOptions, FolderDiskCache, MokaBlockCache};
use dittofs_domain::{Scale, ShareId, credentials::IdentityPolicy, ownership::Holder};
use dittofs_frame_codec::{Codec, CompressionOptions};
use dittofs_journal::{MmapJournal, NullJournal};
use dittofs_measured::ShareMeters;
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{
    BlockCache, ContentStore, DiskCache, Journal, MetadataStore, ShareMetadata, Survives, statistics::StoreStatistics,
};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};
use tokio::sync::Notify;

use super::{
    Accepting, ServeError, holder, identity,
    journals::{self, Wanted},
    keys::{Keys, KeysRefused},
    leftovers::Places,
    paths, quota, refusal,
};
use crate::{
    config::{Config, Opening, ShareConfig, StoreKinds, Stores, open_each_store},
    progress::Progress,
};

/// What a share's part of the journal is at least: a few transfers of 1 MiB, or no write could be admitted.
const JOURNAL_BYTES_MIN: u64 = 16 << 20;

/// Files that a line of the log names.
const FILES_NAMED_MAX: usize = 1_000;

type Named<P> = BTreeMap<String, Arc<P>>;
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What all shares are opened with.
struct Parts<'a> {
    config: &'a Config,
    metadata: Named<dyn MetadataStore>,
    content: Named<dyn ContentStore>,
    cache: Arc<dyn BlockCache>,
    disk: Option<Arc<dyn DiskCache>>,
    machine: Machine,
    journal_bytes: u64,
    accepting: &'a Accepting,
    holder: Holder,
}

/// All shares, open.
pub(super) struct OpenShares {
    pub(super) volumes: Vec<Arc<Volume>>,
    /// What is counted between each share and its stores, by the share's name.
    pub(super) meters: Vec<(String, Arc<dyn StoreStatistics>)>,
    pub(super) cache: Arc<dyn BlockCache>,
    pub(super) disk: Option<Arc<dyn DiskCache>>,
    /// Shares in the metadata stores that the configuration does not name.
    pub(super) unnamed: Vec<UnnamedView>,
}

/// Opens all stores and shares. What is missing, old or damaged of a share is given up where that is accepted. Where one
/// share can't be opened, those that are open are closed. Key files are read again when `hangup` tells so.
pub(super) async fn open(
    config: &Config,
    kinds: &StoreKinds,
    accepting: &Accepting,
    watch: &Watch,
    hangup: &Arc<Notify>,
) -> Result<OpenShares, ServeError> {
    let failed = |(store, source)| ServeError::Store { store, source };
    let opening = |store: &str, of: fn(&ShareConfig) -> &String| Opening {
        progress: Progress::shown(format!("checking the store `{store}`")),
        accept_loss: may_lose(store, of, config, &accepting.loss),
        ..Opening::default()
    };
    let metadata = open_each_store(&config.metadata, &kinds.metadata, |store| opening(store, |of| &of.metadata_store));
    let metadata = metadata.await.map_err(failed)?;
    let content = open_each_store(&config.content, &kinds.content, |store| opening(store, |of| &of.content_store));
    let content = content.await.map_err(failed)?;
    sync_folders(&[&config.metadata, &config.content])?;
    let machine = machine()?;
    let parts = Parts {
        config,
        metadata,
        content,
        cache: Arc::new(MokaBlockCache::new(config.cache.memory.0)),
        disk: open_disk_cache(config).await?,
        holder: holder::of(config.data.as_deref(), &machine),
        machine,
        // Each share gets an equal part of the bound, so that none can starve the others.
        journal_bytes: (config.journal.size.0 / config.shares.len().max(1) as u64).max(JOURNAL_BYTES_MIN),
        accepting,
    };
    let (mut volumes, mut meters) = (Vec::with_capacity(config.shares.len()), Vec::new());
    let mut keys = Keys::default();
    for share in &config.shares {
        let (volume, counted) = match open_share(share, &parts, &mut keys).await {
            Ok(opened) => opened,
            Err(source) => {
                // What is wrong with the closing is in the log; the start fails for what it failed for.
                let _ = close(&volumes).await;
                return Err(ServeError::Share { share: share.name.clone(), source });
            }
        };
        watch.share_is_open(&share.name);
        volumes.push(volume);
        meters.push((share.name.clone(), counted as _));
    }
    keys.follow(&parts.machine, hangup);
    let unnamed = unnamed(&parts).await;
    Ok(OpenShares { volumes, meters, cache: parts.cache, disk: parts.disk, unnamed })
}

/// Finds the shares that the configuration does not name, and says so: one may have been left out by mistake.
async fn unnamed(parts: &Parts<'_>) -> Vec<UnnamedView> {
    let mut all = Vec::new();
    for (name, store) in &parts.metadata {
        match store.shares().await {
            Ok(records) => all.extend(crate::facts::unnamed(name, &records, &parts.config.shares)),
            Err(error) => tracing::warn!(store = %name, %error, "can't tell which other shares a store has"),
        }
    }
    for UnnamedView { name, metadata_store, .. } in &all {
        tracing::warn!(
            share = %name, %metadata_store,
            "a metadata store has this share, which the configuration does not name: it is not served"
        );
    }
    all
}

/// Closes all shares, and answers what went wrong first. One that fails must not keep the others from being closed.
pub(super) async fn close(volumes: &[Arc<Volume>]) -> Result<(), ServeError> {
    let mut failure = None;
    for volume in volumes {
        if let Err(source) = volume.close().await {
            let error = ServeError::Close { share: volume.name().to_owned(), source };
            tracing::error!("{error}");
            failure.get_or_insert(error);
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn open_disk_cache(config: &Config) -> Result<Option<Arc<dyn DiskCache>>, ServeError> {
    let Some(disk) = &config.cache.disk else { return Ok(None) };
    let options = DiskCacheOptions::new(&disk.path, disk.size.0);
    let opened = tokio::task::spawn_blocking(move || FolderDiskCache::open(&options)).await;
    let cache = opened.map_err(|stopped| ServeError::Threads(std::io::Error::other(stopped)))?;
    Ok(Some(Arc::new(cache.map_err(ServeError::DiskCache)?)))
}

/// What a store loses all of its shares lose, so all of them must have been named.
fn may_lose(store: &str, of: fn(&ShareConfig) -> &String, config: &Config, accept_loss: &BTreeSet<String>) -> bool {
    let mut concerned = config.shares.iter().filter(|share| of(share) == store).peekable();
    concerned.peek().is_some() && concerned.all(|share| accept_loss.contains(&share.name))
}

/// What this process gives to shares, inside a runtime.
pub(crate) fn machine() -> Result<Machine, ServeError> {
    let randomness = SystemRandomness::new().map_err(|error| ServeError::Threads(std::io::Error::other(error)))?;
    Ok(Machine {
        clock: Arc::new(SystemClock::new()),
        randomness: Arc::new(randomness),
        spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
    })
}

/// Makes the folders of stores durable.
pub(crate) fn sync_folders(stores: &[&Stores]) -> Result<(), ServeError> {
    let folders = stores.iter().flat_map(|stores| stores.iter());
    for (store, folder) in folders.filter_map(|(name, store)| Some((name, store.folder.as_deref()?))) {
        journals::sync_names(folder)
            .map_err(|error| ServeError::Store { store: store.clone(), source: error.into() })?;
    }
    Ok(())
}

async fn open_share(
    share: &ShareConfig,
    parts: &Parts<'_>,
    keys: &mut Keys,
) -> Result<(Arc<Volume>, Arc<ShareMeters>), Cause> {
    let unknown = |store: &String| format!("there is no store `{store}`");
    let store = parts.metadata.get(&share.metadata_store).ok_or_else(|| unknown(&share.metadata_store))?;
    let content = parts.content.get(&share.content_store).ok_or_else(|| unknown(&share.content_store))?;
    let sealer = match keys.sealer(share) {
        Ok(sealer) => sealer,
        // Before the share is made, if it is new.
        Err(error) => return Err(KeysRefused::of(error, identity::find(share, &**store).await?.as_ref()).into()),
    };
    let places = Places {
        content: Some(&**content),
        journals: parts.config.journal.path.as_deref().filter(|_| share.durability.keeps_a_journal()),
        metadata: parts.metadata.values().map(|store| &**store).collect(),
        id: share.id.map(ShareId),
    };
    let places = (!parts.accepting.loss.contains(&share.name)).then_some(places);
    let metadata =
        identity::find_or_make(share, &parts.config.shares, &**store, places.as_ref(), &parts.machine).await?;
    let kept = match parts.config.journal.path.as_deref() {
        Some(base) if share.durability.keeps_a_journal() => Some(open_journal(share, base, &*metadata, parts).await?),
        _ => None,
    };
    let journal: Arc<dyn Journal> = match &kept {
        Some(journal) => Arc::clone(journal) as _,
        None => Arc::new(NullJournal::new(parts.journal_bytes)),
    };
    let meters = ShareMeters::new(journal, Arc::clone(&parts.machine.clock));
    let stores = VolumeStores {
        metadata: meters.metadata(Arc::clone(&metadata)),
        metadata_survives: store.survives(),
        content: meters.content(Arc::clone(content)),
        journal: meters.journal(),
        cache: meters.cache(Arc::clone(&parts.cache)),
        // From a folder of this machine frames are read as fast.
        disk: parts.disk.clone().filter(|_| content.survives() == Survives::MachineLoss),
        opens: Arc::new(MemoryOpenState::new()),
        codec: Arc::new(Codec::new(&CompressionOptions { method: share.compression, ..Default::default() })),
        sealer,
    };
    let settings = VolumeSettings {
        policy: policy(share, parts.config),
        limits: VolumeLimits {
            unflushed_bytes_max: parts.journal_bytes,
            outage_ms_max: share.outage_seconds.saturating_mul(1_000),
            readahead_bytes_max: parts.config.cache.readahead.0 / parts.config.shares.len().max(1) as u64,
            ..VolumeLimits::default()
        },
        scale: Scale::PRODUCTION,
        accept_loss: parts.accepting.loss.contains(&share.name),
        take_over: parts.accepting.take_over.contains(&share.name),
        holder: parts.holder.clone(),
    };
    let opened: Result<Arc<Volume>, OpenError> = Volume::open(stores, settings, parts.machine.clone()).await;
    let volume = match opened {
        Ok(volume) => volume,
        Err(error) => return Err(refusal::of_opening(error, share, &*metadata).await.into()),
    };
    let recovered = volume.recovered();
    tracing::info!(share = %share.name, records = recovered.records, bytes = recovered.bytes, "recovered");
    if let Some(journal) = kept {
        tell_losses(share, &journal, &*metadata).await;
    }
    Ok((volume, meters))
}

async fn open_journal(
    share: &ShareConfig,
    base: &Path,
    metadata: &dyn ShareMetadata,
    parts: &Parts<'_>,
) -> Result<Arc<MmapJournal>, Cause> {
    let accept_loss = parts.accepting.loss.contains(&share.name);
    let wanted = Wanted { base, bytes: parts.journal_bytes, accept_loss, share: &share.name };
    match journals::open(&wanted, metadata, &parts.machine).await {
        Ok(journal) => {
            journals::sync_names(base)?;
            Ok(journal)
        }
        Err(refusal) => {
            let dirty = metadata.record().await?.dirty;
            Err(refusal::of_journal(refusal, share, dirty).into())
        }
    }
}

/// What was given up because somebody accepted that.
async fn tell_losses(share: &ShareConfig, journal: &MmapJournal, metadata: &dyn ShareMetadata) {
    let recovery = journal.recovery();
    if recovery.lost.is_empty() {
        return;
    }
    let records: u64 = recovery.lost.iter().map(|run| run.count).sum();
    let files = paths::named(&recovery.nodes, FILES_NAMED_MAX, metadata).await.join(", ");
    tracing::error!(share = %share.name, records, %files, "acknowledged writes are lost, as was accepted");
}

/// Who may use a share, and how.
fn policy(share: &ShareConfig, config: &Config) -> SharePolicy {
    SharePolicy {
        clients: share.clients.iter().filter_map(|net| Network::new(net.addr(), net.prefix_len())).collect(),
        secure_ports: share.secure_ports,
        identity: identity_policy(share),
        read_only: share.read_only,
        atime: share.atime,
        quota: quota::of(share, config, crate::machine::memory_bytes()),
    }
}

/// As whom callers act.
pub(super) fn identity_policy(share: &ShareConfig) -> IdentityPolicy {
    IdentityPolicy { squash: share.squash, anonymous_uid: share.anonymous_uid, anonymous_gid: share.anonymous_gid }
}
