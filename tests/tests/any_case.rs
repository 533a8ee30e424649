//! A client that ignores the case of names beside one that respects it, through the services of one share; and the
//! check of the index that the first one's look-ups rest on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Cookie, Credentials, FsError, Name, NodeId, OpId, ShareId,
    error::FsResult,
    namespace::{
        CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, RenameRequest,
    },
    plan::{Applied, Change, Plan, Query, View},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, ApplyError, Caller, CaseRule, CheckOptions, Created, ListRequest, LookupName, MetadataError,
    MetadataService, MetadataStore, ShareMetadata,
};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{SHARE, Stores, World, caller};
use parking_lot::Mutex;

struct Clients {
    world: World,
    respects: Caller,
    ignores: Caller,
    _folder: tempfile::TempDir,
}

async fn clients(metadata: Arc<dyn MetadataStore>, folder: tempfile::TempDir) -> Clients {
    let stores = Stores {
        metadata,
        content: Arc::new(MemoryContentStore::new()),
        journal: Arc::new(NullJournal::new(1 << 20)),
        cache: Arc::new(NoBlockCache),
        opens: Arc::new(MemoryOpenState::new()),
    };
    let world = World::open(stores, 1 << 20, 7).await;
    let respects = caller(Credentials::user(1_000, 1_000));
    let ignores = Caller { case: CaseRule::Insensitive, ..respects.clone() };
    Clients { world, respects, ignores, _folder: folder }
}

/// Runs a case on each metadata store.
fn on_each_store(case: impl AsyncFn(Clients)) {
    for is_redb in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let metadata: Arc<dyn MetadataStore> = match is_redb {
            true => Arc::new(RedbMetadataStore::open(&RedbOptions::new(folder.path())).unwrap()),
            false => Arc::new(MemoryMetadataStore::new()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { case(clients(metadata, folder).await).await });
    }
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).unwrap()
}

impl Clients {
    async fn create(&self, who: &Caller, text: &str, how: CreateHow) -> FsResult<Created> {
        let attributes = InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() };
        let request = CreateRequest { directory: NodeId::ROOT, name: name(text), kind: NewKind::File, attributes, how };
        self.world.share.create(who, &request, None).await
    }

    async fn make(&self, who: &Caller, text: &str) -> FsResult<NodeId> {
        self.create(who, text, CreateHow::Guarded).await.map(|created| created.node.node)
    }

    /// The node and its real name.
    async fn lookup(&self, who: &Caller, text: &str) -> FsResult<(NodeId, String)> {
        let found = self.world.share.lookup(who, NodeId::ROOT, &LookupName::Child(name(text))).await?;
        Ok((found.node.node, found.name.unwrap().to_string()))
    }

    async fn rename(&self, who: &Caller, from: &str, to: &str) -> FsResult<()> {
        let directory = NodeId::ROOT;
        let request = RenameRequest::new((directory, name(from)), (directory, name(to)));
        self.world.share.rename(who, &request, None).await.map(drop)
    }

    async fn remove(&self, who: &Caller, text: &str) -> FsResult<()> {
        let request = RemoveRequest { directory: NodeId::ROOT, name: name(text), kind: RemoveKind::NotDirectory };
        self.world.share.remove(who, &request, None).await.map(drop)
    }

    async fn names(&self) -> Vec<String> {
        let request =
            ListRequest { directory: NodeId::ROOT, after: Cookie::START, entries_max: 100, with_attributes: false };
        let listed = self.world.share.list(&self.ignores, &request).await.unwrap();
        listed.entries.iter().map(|entry| entry.name.to_string()).collect()
    }
}

#[test]
fn each_client_finds_names_in_its_way() {
    on_each_store(async |share: Clients| {
        let node = share.make(&share.respects, "ReadMe").await.unwrap();
        assert_eq!(share.lookup(&share.respects, "README").await, Err(FsError::NotFound));
        assert_eq!(share.lookup(&share.ignores, "README").await, Ok((node, "ReadMe".into())));
        let other = share.make(&share.respects, "README").await.unwrap();
        assert_eq!(share.lookup(&share.ignores, "README").await, Ok((other, "README".into())));
        assert_eq!(share.lookup(&share.ignores, "readme").await, Ok((node, "ReadMe".into())));
        assert_eq!(share.names().await, ["ReadMe", "README"]);
    });
}

#[test]
fn who_ignores_case_takes_the_file_that_is_there_and_makes_no_second_one() {
    on_each_store(async |share: Clients| {
        let made = share.create(&share.ignores, "Report", CreateHow::Unchecked).await.unwrap();
        assert!(made.new && made.name == name("Report"));
        let found = share.create(&share.ignores, "REPORT", CreateHow::Unchecked).await.unwrap();
        assert!(!found.new && found.name == name("Report"));
        assert_eq!(found.node.node, made.node.node);
        assert_eq!(share.make(&share.ignores, "report").await, Err(FsError::Exists));
        let link = LinkRequest { node: made.node.node, directory: NodeId::ROOT, name: name("RePort") };
        let linked = share.world.share.link(&share.ignores, &link, None).await;
        assert_eq!(linked.map(drop), Err(FsError::Exists));
        assert_eq!(share.names().await, ["Report"]);
    });
}

#[test]
fn who_ignores_case_renames_and_removes_by_any_case() {
    on_each_store(async |share: Clients| {
        let one = share.make(&share.ignores, "One").await.unwrap();
        share.rename(&share.ignores, "ONE", "one").await.unwrap();
        assert_eq!(share.lookup(&share.respects, "one").await, Ok((one, "one".into())));
        share.make(&share.ignores, "Two").await.unwrap();
        share.rename(&share.ignores, "ONE", "TWO").await.unwrap();
        assert_eq!(share.names().await, ["TWO"]);
        assert_eq!(share.lookup(&share.respects, "TWO").await, Ok((one, "TWO".into())));
        assert_eq!(share.remove(&share.respects, "two").await, Err(FsError::NotFound));
        share.remove(&share.ignores, "two").await.unwrap();
        assert_eq!(share.names().await, [""; 0]);
        let report = share.world.services.check(SHARE, CheckOptions::default(), Arc::new(())).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    });
}

/// A store whose index has lost some names, until they are made again.
struct ForgetfulStore(MemoryMetadataStore, Arc<Mutex<HashSet<Name>>>);

struct ForgetfulShare(Arc<dyn ShareMetadata>, Arc<Mutex<HashSet<Name>>>);

#[async_trait]
impl MetadataStore for ForgetfulStore {
    dittofs_ports::forward!(MetadataStore of 0: survives, users, shares, create_share, remove_share, restore_rows,
        restore_share);

    async fn share(&self, id: ShareId) -> Result<Option<Arc<dyn ShareMetadata>>, MetadataError> {
        let share = self.0.share(id).await?;
        Ok(share.map(|share| Arc::new(ForgetfulShare(share, Arc::clone(&self.1))) as Arc<dyn ShareMetadata>))
    }
}

#[async_trait]
impl ShareMetadata for ForgetfulShare {
    dittofs_ports::forward!(
        ShareMetadata of 0:
        record, put_record, list, name_of, allocate, has_ended, unlinked, pending_truncations, objects, references,
        nodes, node_ids, references_after, xattr_bytes, statistics, snapshot
    );

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let mut view = self.0.view(query).await?;
        let lost = self.1.lock();
        view.folded.iter_mut().for_each(|folded| folded.entries.retain(|alike| !lost.contains(&alike.name)));
        Ok(view)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        for change in &plan.changes {
            if let Change::InsertEntry { key, .. } = change {
                self.1.lock().remove(&key.name);
            }
        }
        self.0.apply(plan, op).await
    }
}

#[test]
fn check_finds_names_that_the_index_has_lost_and_puts_them_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let lost: Arc<Mutex<HashSet<Name>>> = Arc::default();
        let store = Arc::new(ForgetfulStore(MemoryMetadataStore::new(), Arc::clone(&lost)));
        let share = clients(Arc::clone(&store) as Arc<dyn MetadataStore>, tempfile::tempdir().unwrap()).await;
        for text in ["One", "TWO", "three"] {
            share.make(&share.respects, text).await.unwrap();
        }
        share.world.close().await;
        lost.lock().extend([name("One"), name("TWO")]);
        let stores = || dittofs_application::CheckStores {
            metadata: Arc::clone(&share.world.metadata),
            content: Arc::clone(&share.world.content),
            sealer: Arc::new(dittofs_frame_sealer::Sealer::none()),
            clock: Arc::clone(&share.world.clock) as Arc<_>,
        };
        let options = |repair| CheckOptions { repair, ..CheckOptions::default() };
        let found = dittofs_application::check_stores(stores(), options(false), Arc::new(())).await.unwrap();
        let classes: Vec<&str> = found.findings.iter().map(|checked| checked.finding.class()).collect();
        assert_eq!(classes, ["not-folded"; 2]);
        let repaired = dittofs_application::check_stores(stores(), options(true), Arc::new(())).await.unwrap();
        assert_eq!(repaired.repaired(), 2);
        let found = dittofs_application::check_stores(stores(), options(false), Arc::new(())).await.unwrap();
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        assert_eq!(share.names().await, ["One", "TWO", "three"]);
    });
}
