//! Makes a volume for each share.

use std::{path::Path, sync::Arc};

use dittofs_admin::{UnnamedView, Watch};
use dittofs_application::{
    Machine, Network, OpenError, SharePolicy, Tier, Volume, VolumeLimits, VolumeSettings, VolumeStores,
};
use dittofs_block_cache::{DiskCacheOptions, FolderDiskCache, MokaBlockCache};
use dittofs_domain::{Scale, ShareId, credentials::IdentityPolicy, ownership::Holder};
use dittofs_frame_codec::{Codec, CompressionOptions};
use dittofs_journal::{MmapJournal, NullJournal};
use dittofs_measured::ShareMeters;
use dittofs_memory::MemoryOpenState;
use dittofs_ports::{BlockCache, DiskCache, Journal, ShareMetadata, Survives, statistics::StoreStatistics};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};
use tokio::sync::Notify;

use super::{
    Accepting, Cause, ServeError, bounds, holder, identity,
    journals::{self, Wanted},
    keys::{Keys, KeysRefused},
    leftovers::Places,
    paths, quota, refusal,
    room::Room,
    stores::OpenStores,
};
use crate::config::{Config, Durability, ShareConfig, StoreKinds, Stores};

/// Files that a line of the log names.
const FILES_NAMED_MAX: usize = 1_000;

/// The parts with which shares are opened, now and later.
pub(super) struct Opener {
    pub(super) stores: OpenStores,
    pub(super) cache: Arc<dyn BlockCache>,
    pub(super) disk: Option<Arc<dyn DiskCache>>,
    pub(super) machine: Machine,
    holder: Holder,
    keys: Keys,
    hangup: Arc<Notify>,
}

/// With what one share is opened.
#[derive(Clone, Copy)]
struct With<'a> {
    config: &'a Config,
    accepting: &'a Accepting,
    room: Room,
}

/// A share that is open.
pub(super) struct OpenShare {
    pub(super) name: String,
    pub(super) volume: Arc<Volume>,
    /// The counts of the traffic between the share and its stores.
    pub(super) meters: Arc<dyn StoreStatistics>,
    /// Its part of the bounds over all shares.
    pub(super) room: Room,
}

impl Opener {
    /// Opens all stores. Key files are read again when `hangup` says so.
    pub(super) async fn start(
        config: &Config,
        kinds: &StoreKinds,
        accepting: &Accepting,
        hangup: &Arc<Notify>,
    ) -> Result<Opener, ServeError> {
        let stores = OpenStores::open(config, kinds, accepting).await?;
        let machine = machine()?;
        Ok(Opener {
            stores,
            cache: Arc::new(MokaBlockCache::new(config.cache.memory.0)),
            disk: open_disk_cache(config).await?,
            holder: holder::of(config.data.as_deref(), &machine),
            machine,
            keys: Keys::default(),
            hangup: Arc::clone(hangup),
        })
    }

    /// Opens all shares of the configuration. What is missing, old or damaged of a share is given up where that is
    /// accepted. Where one share can't be opened, those that are open are closed.
    pub(super) async fn open_all(
        &mut self,
        config: &Config,
        accepting: &Accepting,
        watch: &Watch,
    ) -> Result<Vec<OpenShare>, ServeError> {
        let mut open = Vec::with_capacity(config.shares.len());
        for share in &config.shares {
            match self.open(share, config, accepting, Room::equal(config)).await {
                Ok(opened) => open.push(opened),
                Err(source) => {
                    // The log has any failure of the closing. The start fails with its own error.
                    let _ = close(&open.into_iter().map(|share| share.volume).collect::<Vec<_>>()).await;
                    return Err(ServeError::Share { share: share.name.clone(), source });
                }
            }
            watch.share_is_open(&share.name);
        }
        Ok(open)
    }

    /// Opens one share, whose stores must be open.
    pub(super) async fn open(
        &mut self,
        share: &ShareConfig,
        config: &Config,
        accepting: &Accepting,
        room: Room,
    ) -> Result<OpenShare, Cause> {
        let (volume, meters) = self.open_with(share, With { config, accepting, room }).await?;
        self.keys.follow(&self.machine, &self.hangup);
        Ok(OpenShare { name: share.name.clone(), volume, meters, room })
    }

    /// Finds the shares that the configuration does not name, and says so: one may have been left out by mistake.
    pub(super) async fn unnamed(&self, config: &Config) -> Vec<UnnamedView> {
        let mut all = Vec::new();
        for (name, store) in &self.stores.metadata {
            match store.shares().await {
                Ok(records) => all.extend(crate::facts::unnamed(name, &records, &config.shares)),
                Err(error) => tracing::warn!(store = %name, %error, "it is not known which other shares a store has"),
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

    async fn open_with(
        &mut self,
        share: &ShareConfig,
        with: With<'_>,
    ) -> Result<(Arc<Volume>, Arc<ShareMeters>), Cause> {
        let With { config, accepting, room } = with;
        let unknown = |store: &String| format!("there is no store `{store}`");
        let store = self.stores.metadata.get(&share.metadata_store).ok_or_else(|| unknown(&share.metadata_store))?;
        let content = self.stores.content.get(&share.content_store).ok_or_else(|| unknown(&share.content_store))?;
        let sealer = match self.keys.sealer(share) {
            Ok(sealer) => sealer,
            // Before the share is made, if it is new.
            Err(error) => return Err(KeysRefused::of(error, identity::find(share, &**store).await?.as_ref()).into()),
        };
        let places = Places {
            content: Some(&**content),
            journals: config.journal.path.as_deref().filter(|_| share.durability.keeps_a_journal()),
            metadata: self.stores.metadata.values().map(|store| &**store).collect(),
            id: share.id.map(ShareId),
        };
        let places = (!accepting.loss.contains(&share.name)).then_some(places);
        if share.durability == Durability::Remote && store.survives() < Survives::MachineLoss {
            return Err(refusal::of_tier(share).into());
        }
        let metadata = identity::find_or_make(share, &config.shares, &**store, places.as_ref(), &self.machine).await?;
        let kept = match config.journal.path.as_deref() {
            Some(base) if share.durability.keeps_a_journal() => {
                Some(open_journal(share, base, &*metadata, with, &self.machine).await?)
            }
            _ => None,
        };
        let journal: Arc<dyn Journal> = match &kept {
            Some(journal) => Arc::clone(journal) as _,
            None => Arc::new(NullJournal::new(room.unflushed_bytes(share))),
        };
        let meters = ShareMeters::new(journal, Arc::clone(&self.machine.clock));
        let stores = VolumeStores {
            metadata: meters.metadata(Arc::clone(&metadata)),
            metadata_survives: store.survives(),
            content: meters.content(Arc::clone(content)),
            journal: meters.journal(),
            cache: meters.cache(Arc::clone(&self.cache)),
            // From a folder of this machine frames are read as fast.
            disk: self.disk.clone().filter(|_| content.survives() == Survives::MachineLoss),
            opens: Arc::new(MemoryOpenState::new()),
            codec: Arc::new(Codec::new(&CompressionOptions { method: share.compression, ..Default::default() })),
            sealer,
        };
        let settings = VolumeSettings {
            policy: policy(share, config),
            limits: limits(share, config, room),
            tier: tier(share),
            scale: Scale::PRODUCTION,
            accept_loss: accepting.loss.contains(&share.name),
            take_over: accepting.take_over.contains(&share.name),
            holder: self.holder.clone(),
        };
        let opened: Result<Arc<Volume>, OpenError> = Volume::open(stores, settings, self.machine.clone()).await;
        let volume = match opened {
            Ok(volume) => volume,
            Err(error) => return Err(refusal::of_opening(error, share, &*metadata).await.into()),
        };
        let recovered = volume.recovered();
        tracing::info!(share = %share.name, records = recovered.records, bytes = recovered.bytes, "recovered");
        if let Some(journal) = kept {
            report_losses(share, &journal, &*metadata).await;
        }
        Ok((volume, meters))
    }
}

fn tier(share: &ShareConfig) -> Tier {
    match share.durability {
        Durability::None | Durability::Local => Tier::Journal,
        Durability::Remote => Tier::Stores { inline_bytes_max: u32::try_from(share.inline_max.0).unwrap_or(u32::MAX) },
    }
}

fn limits(share: &ShareConfig, config: &Config, room: Room) -> VolumeLimits {
    VolumeLimits {
        unflushed_bytes_max: room.unflushed_bytes(share),
        record_bytes: bounds::record_bytes(config.journal.size),
        outage_ms_max: share.outage_seconds.saturating_mul(1_000),
        readahead_bytes_max: room.readahead_bytes,
        ..VolumeLimits::default()
    }
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

/// Returns the services that this process gives to shares. It must be called inside a runtime.
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

async fn open_journal(
    share: &ShareConfig,
    base: &Path,
    metadata: &dyn ShareMetadata,
    With { accepting, room, .. }: With<'_>,
    machine: &Machine,
) -> Result<Arc<MmapJournal>, Cause> {
    let accept_loss = accepting.loss.contains(&share.name);
    let wanted = Wanted { base, bytes: room.journal_bytes, accept_loss, share: &share.name };
    match journals::open(&wanted, metadata, machine).await {
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

/// Logs the data that were given up because somebody accepted that.
async fn report_losses(share: &ShareConfig, journal: &MmapJournal, metadata: &dyn ShareMetadata) {
    let recovery = journal.recovery();
    if recovery.lost.is_empty() {
        return;
    }
    let records: u64 = recovery.lost.iter().map(|run| run.count).sum();
    let files = paths::named(&recovery.nodes, FILES_NAMED_MAX, metadata).await.join(", ");
    tracing::error!(share = %share.name, records, %files, "acknowledged writes are lost, as was accepted");
}

/// Who may use a share, and how.
pub(super) fn policy(share: &ShareConfig, config: &Config) -> SharePolicy {
    SharePolicy {
        short_name: share.smb_name.clone(),
        clients: share.clients.iter().filter_map(|net| Network::new(net.addr(), net.prefix_len())).collect(),
        secure_ports: share.secure_ports,
        identity: identity_policy(share),
        access: share.access.clone(),
        read_only: share.read_only,
        requires_encryption: share.smb_encryption_required,
        atime: share.atime,
        quota: quota::of(share, config, crate::machine::memory_bytes()),
    }
}

/// As whom callers act.
pub(super) fn identity_policy(share: &ShareConfig) -> IdentityPolicy {
    IdentityPolicy { squash: share.squash, anonymous_uid: share.anonymous_uid, anonymous_gid: share.anonymous_gid }
}
