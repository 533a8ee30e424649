//! A share with some files, closed cleanly, to be damaged.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_application::{CheckStores, check_stores};
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    Credentials, Name, Node, NodeId, ObjectId,
    check::Finding,
    namespace::{CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind},
    plan::{Change, EntryKey, Found, NodeUpdate, ObjectRecord, Plan, Query, Reference},
};
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, CheckOptions, CheckReport, ContentStore, FrameSealer, MetadataService,
    MetadataStore, Stability,
};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{SHARE, Stores, World, WorldOptions, caller};

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const QUIET: CheckOptions = CheckOptions { content: true, repair: false, delete_orphans: false };
pub(crate) const REPAIR: CheckOptions = CheckOptions { repair: true, ..QUIET };

/// `/docs/report` of 3 MiB, `/docs/deep/er`, `/small` of 5,000 bytes, which is `/docs/again` too, and the empty
/// `/empty`.
pub(crate) struct Share {
    pub(crate) world: World,
    pub(crate) caller: Caller,
    pub(crate) sealer: Arc<dyn FrameSealer>,
    stores: Stores,
    life: u64,
    _folder: tempfile::TempDir,
}

/// Runs a case on each metadata store.
pub(crate) fn on_each_store(case: impl AsyncFn(Share)) {
    for is_redb in [false, true] {
        eprintln!("redb: {is_redb}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { case(Share::closed(is_redb).await).await });
    }
}

impl Share {
    pub(crate) async fn closed(is_redb: bool) -> Share {
        Share::closed_with(is_redb, Arc::new(Sealer::none())).await
    }

    pub(crate) async fn closed_with(is_redb: bool, sealer: Arc<dyn FrameSealer>) -> Share {
        let share = Share::new_with(is_redb, sealer).await;
        let docs = share.make("docs", NewKind::Directory).await;
        let deep = share.make_in(docs, "deep", NewKind::Directory).await;
        share.make_in(deep, "er", NewKind::Directory).await;
        share.make("empty", NewKind::File).await;
        let report = share.make_in(docs, "report", NewKind::File).await;
        share.write(report, 0, &noise(3 * MIB)).await;
        let small = share.make("small", NewKind::File).await;
        share.write(small, 0, &noise(5_000)).await;
        let again = LinkRequest { node: small, directory: docs, name: name("again") };
        share.world.share.link(&share.caller, &again, None).await.unwrap();
        share.world.close().await;
        assert_clean(&share.check(QUIET).await);
        share
    }

    pub(crate) async fn new(is_redb: bool) -> Share {
        Share::new_with(is_redb, Arc::new(Sealer::none())).await
    }

    async fn new_with(is_redb: bool, sealer: Arc<dyn FrameSealer>) -> Share {
        let folder = tempfile::tempdir().unwrap();
        let metadata: Arc<dyn MetadataStore> = match is_redb {
            true => Arc::new(RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap()),
            false => Arc::new(MemoryMetadataStore::new()),
        };
        let stores = Stores {
            metadata,
            content: Arc::new(MemoryContentStore::new()),
            journal: Arc::new(NullJournal::new(256 << 20)),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            opens: Arc::new(MemoryOpenState::new()),
        };
        Share::on(stores, folder, sealer, 0).await
    }

    /// Each life has other randomness, or it would make objects of the same ids.
    async fn on(stores: Stores, folder: tempfile::TempDir, sealer: Arc<dyn FrameSealer>, life: u64) -> Share {
        let options = WorldOptions { sealer: Arc::clone(&sealer), ..WorldOptions::new(64 << 20, 7 + life) };
        let world = World::open_with(stores.clone(), options).await;
        Share { world, sealer, stores, life, caller: caller(Credentials::root()), _folder: folder }
    }

    /// The same share, after it was closed, with other keys. Nothing is in a cache.
    pub(crate) async fn reopened(self, sealer: Arc<dyn FrameSealer>) -> Share {
        let journal = Arc::new(NullJournal::new(256 << 20));
        let stores = Stores { journal, cache: Arc::new(MokaBlockCache::new(1 << 20)), ..self.stores };
        Share::on(stores, self._folder, sealer, self.life + 1).await
    }

    async fn make(&self, text: &str, kind: NewKind) -> NodeId {
        self.make_in(NodeId::ROOT, text, kind).await
    }

    pub(crate) async fn make_in(&self, directory: NodeId, text: &str, kind: NewKind) -> NodeId {
        let attributes = InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() };
        let request = CreateRequest { directory, name: name(text), kind, attributes, how: CreateHow::Guarded };
        self.world.share.create(&self.caller, &request, None).await.unwrap().node.node
    }

    pub(crate) async fn write(&self, node: NodeId, offset: u64, data: &[u8]) {
        for (number, part) in (0..).zip(data.chunks(MIB)) {
            let at = offset + number * MIB as u64;
            let part = Bytes::copy_from_slice(part);
            let written = self.world.share.write(&self.caller, node, at, part, Stability::Unstable);
            written.await.unwrap();
        }
    }

    /// As the server does it while it serves.
    pub(crate) async fn check(&self, options: CheckOptions) -> CheckReport {
        self.world.services.check(SHARE, options, Arc::new(())).await.unwrap()
    }

    /// As the command does it without a server.
    pub(crate) async fn check_offline(&self, options: CheckOptions) -> CheckReport {
        self.check_with(options, Arc::clone(&self.sealer)).await
    }

    /// The same with other keys than those that the share has.
    pub(crate) async fn check_with(&self, options: CheckOptions, sealer: Arc<dyn FrameSealer>) -> CheckReport {
        let stores = CheckStores {
            metadata: Arc::clone(&self.world.metadata),
            content: Arc::clone(&self.world.content),
            sealer,
            clock: Arc::clone(&self.world.clock) as Arc<_>,
        };
        check_stores(stores, options, Arc::new(())).await.unwrap()
    }

    /// Both ways of checking find exactly this: (class, path).
    pub(crate) async fn finds(&self, expected: &[(&str, &str)]) -> CheckReport {
        let online = self.check(QUIET).await;
        assert_eq!(classes_and_paths(&online), sorted(expected), "{online:#?}");
        assert!(!online.is_clean());
        let offline = self.check_offline(QUIET).await;
        assert_eq!(classes_and_paths(&offline), sorted(expected));
        online
    }

    /// Repairs everything: nothing is found afterwards.
    pub(crate) async fn repairs(&self) -> CheckReport {
        let repaired = self.check_offline(REPAIR).await;
        let notes =
            repaired.findings.iter().filter(|checked| matches!(checked.finding, Finding::Orphans { .. })).count();
        assert_eq!(repaired.repaired(), repaired.findings.len() - notes, "{repaired:#?}");
        assert_clean(&self.check_offline(QUIET).await);
        repaired
    }

    /// Checks that damage which can't be repaired is left as it is, and found again.
    pub(crate) async fn keeps(&self, expected: &[(&str, &str)]) {
        self.check_offline(REPAIR).await;
        let again = self.check_offline(QUIET).await;
        assert_eq!(classes_and_paths(&again), sorted(expected), "{again:#?}");
    }

    pub(crate) async fn apply(&self, changes: impl IntoIterator<Item = Change>) {
        let mut plan = Plan::at(dittofs_tests::world::SteppedClock::START);
        plan.changes.extend(changes);
        self.world.metadata.apply(plan, None).await.unwrap();
    }

    pub(crate) async fn update(&self, node: NodeId, update: NodeUpdate) {
        self.apply([Change::UpdateNode(node, update)]).await;
    }

    /// The entry at a path.
    pub(crate) async fn entry(&self, path: &str) -> (EntryKey, Found) {
        let mut directory = NodeId::ROOT;
        let mut last = None;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let key = EntryKey::child(directory, &name(part));
            let view = self.world.metadata.view(&Query::child(directory, key.clone())).await.unwrap();
            let found = view.entry(0).unwrap_or_else(|| panic!("no {part} of {path}")).clone();
            directory = found.node.id;
            last = Some((key, found));
        }
        last.unwrap()
    }

    pub(crate) async fn node(&self, path: &str) -> Arc<Node> {
        self.entry(path).await.1.node
    }

    /// The bytes of a file, as a client reads them now.
    pub(crate) async fn read(&self, path: &str) -> Vec<u8> {
        let node = self.node(path).await;
        let mut all = Vec::new();
        while (all.len() as u64) < node.size {
            let read = self.world.share.read(&self.caller, node.id, all.len() as u64, MIB as u32);
            all.extend(read.await.unwrap().data.concat());
        }
        all
    }

    pub(crate) async fn references(&self, path: &str) -> Vec<Reference> {
        let node = self.node(path).await.id;
        let all = self.world.metadata.references_after(None, 1_000).await.unwrap();
        all.into_iter().filter(|reference| reference.node == node).collect()
    }

    /// The object that has a file's first bytes.
    pub(crate) async fn object(&self, path: &str) -> ObjectRecord {
        let id = self.references(path).await[0].object;
        let all = self.world.metadata.objects(None, 1_000).await.unwrap();
        all.into_iter().find(|record| record.id == id).unwrap()
    }

    pub(crate) async fn bytes_of(&self, object: &ObjectRecord) -> Vec<u8> {
        self.world.content.get(SHARE, object.id, 0..object.bytes).await.unwrap().concat()
    }

    /// Puts other bytes in the place of an object's.
    pub(crate) async fn replace(&self, object: ObjectId, bytes: Vec<u8>) {
        let content: &Arc<dyn ContentStore> = &self.world.content;
        content.delete(SHARE, object).await.unwrap();
        content.put(SHARE, object, vec![bytes.into()]).await.unwrap();
    }
}

pub(crate) fn assert_clean(report: &CheckReport) {
    assert!(report.is_clean() && report.undecided == 0, "{report:#?}");
}

pub(crate) fn classes_and_paths(report: &CheckReport) -> Vec<(String, String)> {
    let found = report.findings.iter().map(|checked| {
        let path = checked.path.clone().unwrap_or_default();
        (checked.finding.class().to_owned(), path)
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

fn sorted(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = expected.iter().map(|(class, path)| ((*class).to_owned(), (*path).to_owned())).collect();
    all.sort();
    all
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

pub(crate) fn noise(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}
