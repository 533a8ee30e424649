//! A share of which backups are made, and the shares that come back from them.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use dittofs_application::{Machine, RestoreStores, restore_share};
use dittofs_backup_folder::FolderBackups;
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId, ObjectId,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
    ownership::Holder,
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BackupFolders, BlockService, Caller, CheckOptions, ContentStore, LookupName, MetadataService,
    MetadataStore, Stability,
};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};
use dittofs_tests::world::{SHARE, Stores, World, WorldOptions, caller};
use tempfile::TempDir;

/// The database works on a thread of its own, so time passes by itself.
const SPEED: u32 = 10;

pub(crate) struct Share {
    pub(crate) world: World,
    caller: Caller,
    content: Arc<dyn ContentStore>,
    folder: TempDir,
}

/// Returns the content that a write with this seed leaves.
pub(crate) fn content(seed: u8, length: usize) -> Vec<u8> {
    let rest = (1..length).map(|at| seed.wrapping_mul(31).wrapping_add((at / 7) as u8));
    std::iter::once(seed).chain(rest).collect()
}

impl Share {
    pub(crate) async fn new() -> Share {
        Share::with_backups(Arc::new(FolderBackups)).await
    }

    pub(crate) async fn with_backups(backups: Arc<dyn BackupFolders>) -> Share {
        let folder = tempfile::tempdir().unwrap();
        let metadata = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap();
        Share::on(Arc::new(metadata), Arc::new(MemoryContentStore::new()), folder, backups).await
    }

    /// With room for so many bytes of objects.
    pub(crate) async fn with_capacity(bytes: u64) -> Share {
        let folder = tempfile::tempdir().unwrap();
        let metadata = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap();
        let content = Arc::new(MemoryContentStore::with_capacity(bytes));
        Share::on(Arc::new(metadata), content, folder, Arc::new(FolderBackups)).await
    }

    pub(crate) async fn in_memory() -> Share {
        let (metadata, content) = (MemoryMetadataStore::new(), MemoryContentStore::new());
        let folder = tempfile::tempdir().unwrap();
        Share::on(Arc::new(metadata), Arc::new(content), folder, Arc::new(FolderBackups)).await
    }

    async fn on(
        metadata: Arc<dyn MetadataStore>,
        content: Arc<dyn ContentStore>,
        folder: TempDir,
        backups: Arc<dyn BackupFolders>,
    ) -> Share {
        let stores = Stores {
            metadata,
            content: Arc::clone(&content),
            journal: Arc::new(NullJournal::new(64 << 20)),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let options = WorldOptions { speed: SPEED, backups, ..WorldOptions::new(32 << 20, 7) };
        let world = World::open_with(stores, options).await;
        Share { world, caller: caller(Credentials::user(0, 0)), content, folder }
    }

    /// The share of a backup, restored into stores of its own beside this one.
    pub(crate) async fn restored(&self, name: &str) -> Share {
        let folder = tempfile::tempdir().unwrap();
        let metadata = RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap();
        let (metadata, content) = (Arc::new(metadata), Arc::new(MemoryContentStore::new()));
        let backup = FolderBackups.open(&self.folder().join(name)).await.unwrap();
        let objects = Some(Arc::clone(&self.content)).filter(|_| !backup.manifest().holds_objects);
        let stores = RestoreStores {
            backup: Arc::clone(&backup),
            objects,
            metadata: Arc::clone(&metadata) as Arc<_>,
            content: Arc::clone(&content) as Arc<_>,
        };
        let machine = Machine {
            clock: Arc::new(SystemClock::new()),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
        };
        let in_backup = &backup.manifest().shares[0];
        restore_share(&stores, in_backup, Holder::default(), &machine, &()).await.unwrap();
        Share::on(metadata, content, folder, Arc::new(FolderBackups)).await
    }

    /// A folder for backups.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file of so many bytes, if there is room for it.
    pub(crate) async fn try_add(&self, name: &str, seed: u8, length: usize) -> FsResult<()> {
        let file = self.try_create(name).await?;
        let data = Bytes::from(content(seed, length));
        self.world.share.write(&self.caller, file, 0, data, Stability::Unstable).await?;
        Ok(())
    }

    pub(crate) async fn create(&self, name: &str) -> NodeId {
        self.try_create(name).await.unwrap()
    }

    async fn try_create(&self, name: &str) -> FsResult<NodeId> {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.world.share.create(&self.caller, &request, None).await?;
        Ok(made.node.node)
    }

    pub(crate) async fn write(&self, file: NodeId, offset: u64, seed: u8, length: usize) {
        let data = Bytes::from(content(seed, length));
        let written = self.world.share.write(&self.caller, file, offset, data, Stability::Unstable);
        written.await.unwrap();
    }

    pub(crate) async fn remove(&self, name: &str) {
        let (name, kind) = (Name::new(name.as_bytes()).unwrap(), RemoveKind::NotDirectory);
        let request = RemoveRequest { directory: NodeId::ROOT, name, kind };
        self.world.share.remove(&self.caller, &request, None).await.unwrap();
    }

    pub(crate) async fn read(&self, name: &str, length: usize) -> Vec<u8> {
        let (root, name) = (NodeId::ROOT, LookupName::Child(Name::new(name.as_bytes()).unwrap()));
        let found = self.world.share.lookup(&self.caller, root, &name).await.unwrap().node;
        let file = found.node;
        let read = self.world.share.read(&self.caller, file, 0, length as u32).await.unwrap();
        read.data.concat()
    }

    /// The objects that there are.
    pub(crate) async fn objects(&self) -> Vec<ObjectId> {
        let listed = self.content.list(SHARE, None, 1_000).await.unwrap();
        listed.into_iter().map(|(object, _)| object).collect()
    }

    pub(crate) async fn assert_clean(&self) {
        let report = self.world.services.check(SHARE, CheckOptions::default(), Arc::new(())).await.unwrap();
        assert_eq!(report.errors(), 0, "{:?}", report.findings);
    }
}
