//! A quota: what it refuses, and what it does not. A share may be full, and everything goes on that does not make it
//! grow.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId,
    error::{FsError, FsResult},
    namespace::{CreateHow, CreateRequest, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest},
    plan::{Change, Plan, Statistics},
    quota::{NAME_BYTES, NODE_BYTES, Quota},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, CheckOptions, ContentStore, MetadataService, MetadataStore, ShareRecord,
    Stability,
};
use dittofs_tests::world::{SHARE, Stores, World, WorldOptions, caller};
use futures_util::future::join_all;

const MIB: u64 = 1 << 20;
const UNFLUSHED_BYTES_MAX: u64 = 256 << 20;
/// The bytes that a file with one name counts for.
const FILE: u64 = NODE_BYTES + NAME_BYTES;

struct Share {
    world: World,
    caller: Caller,
    metadata: Arc<MemoryMetadataStore>,
    content: Arc<MemoryContentStore>,
    /// Which start of its server this is.
    life: u64,
}

impl Share {
    async fn new(quota: Quota) -> Share {
        Share::on(Arc::default(), Arc::default(), quota, 1).await
    }

    /// Each life has other randomness, or it would make objects of the same ids.
    async fn on(
        metadata: Arc<MemoryMetadataStore>,
        content: Arc<MemoryContentStore>,
        quota: Quota,
        life: u64,
    ) -> Share {
        let stores = Stores {
            metadata: Arc::clone(&metadata) as Arc<dyn MetadataStore>,
            content: Arc::clone(&content) as Arc<dyn ContentStore>,
            journal: Arc::new(NullJournal::new(UNFLUSHED_BYTES_MAX)),
            cache: Arc::new(NoBlockCache),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let options = WorldOptions { quota, ..WorldOptions::new(UNFLUSHED_BYTES_MAX, life) };
        let world = World::open_with(stores, options).await;
        Share { world, caller: caller(Credentials::user(0, 0)), metadata, content, life }
    }

    async fn reopened(self, quota: Quota) -> Share {
        self.world.close().await;
        Share::on(self.metadata, self.content, quota, self.life + 1).await
    }

    async fn make(&self, name: &str, kind: NewKind) -> FsResult<NodeId> {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind,
            attributes: InitialAttributes { mode: Some(0o600), ..InitialAttributes::default() },
            how: CreateHow::Unchecked,
        };
        Ok(self.world.share.create(&self.caller, &request, None).await?.node.node)
    }

    async fn file(&self, name: &str) -> NodeId {
        self.make(name, NewKind::File).await.unwrap()
    }

    async fn write(&self, file: NodeId, offset: u64, length: u64, stability: Stability) -> FsResult<()> {
        let data = Bytes::from(vec![offset as u8 | 1; length as usize]);
        self.world.share.write(&self.caller, file, offset, data, stability).await.map(drop)
    }

    /// Writes MiB by MiB.
    async fn fill(&self, file: NodeId, mebibytes: std::ops::Range<u64>) -> FsResult<()> {
        for number in mebibytes {
            self.write(file, number * MIB, MIB, Stability::Unstable).await?;
        }
        Ok(())
    }

    async fn remove(&self, name: &str) {
        let name = Name::new(name.as_bytes()).unwrap();
        let request = RemoveRequest { directory: NodeId::ROOT, name, kind: RemoveKind::NotDirectory };
        self.world.share.remove(&self.caller, &request, None).await.unwrap();
    }

    async fn flush(&self) {
        self.world.services.flush().await.unwrap();
    }

    /// Bytes and nodes, the root not counted.
    async fn used(&self) -> (u64, u64) {
        let space = self.world.services.space(SHARE).await.unwrap();
        (space.bytes_total - space.bytes_free, space.nodes_total - space.nodes_free - 1)
    }

    async fn assert_sums_are_right(&self) {
        let report = self.world.services.check(SHARE, CheckOptions::default(), Arc::new(())).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

fn bytes(bytes: u64) -> Quota {
    Quota { bytes, ..Quota::NONE }
}

#[tokio::test(start_paused = true)]
async fn the_same_place_is_written_over_and_over() {
    let share = Share::new(bytes(64 * MIB)).await;
    let file = share.file("file").await;
    for round in 0..300 {
        share.write(file, 0, MIB, Stability::File).await.unwrap_or_else(|error| panic!("write {round}: {error}"));
    }
    share.flush().await;
    assert_eq!(share.used().await, (MIB + FILE, 1));
    share.assert_sums_are_right().await;
}

#[tokio::test(start_paused = true)]
async fn most_of_a_share_is_overwritten_in_place() {
    let share = Share::new(bytes(64 * MIB)).await;
    let file = share.file("file").await;
    share.fill(file, 0..40).await.unwrap();
    share.flush().await;
    for round in 0..4 {
        share.fill(file, 0..40).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    share.flush().await;
    assert_eq!(share.used().await, (40 * MIB + FILE, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_share_takes_what_does_not_make_it_grow() {
    let share = Share::new(bytes(8 * MIB + 2 * FILE)).await;
    let (file, sparse) = (share.file("file").await, share.file("sparse").await);
    share.fill(file, 0..7).await.unwrap();
    share.write(sparse, 4 * MIB, MIB, Stability::Unstable).await.unwrap();
    for is_flushed in [false, true] {
        if is_flushed {
            share.flush().await;
        }
        assert_eq!(share.used().await, (8 * MIB + 2 * FILE, 2));
        share.write(file, 3 * MIB - 2, 4, Stability::File).await.unwrap();
        share.write(sparse, 4 * MIB + 9, 4, Stability::Unstable).await.unwrap();
        share.fill(file, 2..5).await.unwrap();
        for (grows, offset, length) in [(file, 7 * MIB, 1), (sparse, 3 * MIB, 1), (sparse, 4 * MIB - 1, MIB)] {
            let answer = share.write(grows, offset, length, Stability::File).await;
            assert_eq!(answer, Err(FsError::NoSpace), "{offset}");
        }
        assert_eq!(share.make("more", NewKind::File).await, Err(FsError::NoSpace));
        share.file("file").await;
    }
    assert_eq!(share.used().await, (8 * MIB + 2 * FILE, 2));
}

/// The reaper follows a removal; until it has, nobody is refused for what is gone.
#[tokio::test(start_paused = true)]
async fn what_a_removal_frees_is_waited_for() {
    let share = Share::new(bytes(64 * MIB + 2 * FILE)).await;
    let file = share.file("old").await;
    share.fill(file, 0..64).await.unwrap();
    share.flush().await;
    for round in 0..4 {
        share.remove("old").await;
        let file = share.file("old").await;
        share.fill(file, 0..64).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        share.flush().await;
    }
    share.assert_sums_are_right().await;
}

/// Of unflushed bytes over stored ones nobody knows at first that they replace them.
#[tokio::test(start_paused = true)]
async fn what_a_flush_makes_known_is_waited_for() {
    let share = Share::new(bytes(64 * MIB + 2 * FILE)).await;
    let (old, new) = (share.file("old").await, share.file("new").await);
    share.fill(old, 0..32).await.unwrap();
    share.flush().await;
    share.fill(old, 0..32).await.unwrap();
    share.fill(new, 0..32).await.unwrap();
    assert_eq!(share.write(new, 32 * MIB, 1, Stability::File).await, Err(FsError::NoSpace));
    share.flush().await;
    assert_eq!(share.used().await, (64 * MIB + 2 * FILE, 2));
}

#[tokio::test(start_paused = true)]
async fn targets_and_names_count() {
    let share = Share::new(bytes(MIB)).await;
    let target: Arc<[u8]> = vec![b'x'; 4_000].into();
    let mut made = 0;
    let refused = loop {
        match share.make(&format!("link-{made}"), NewKind::Symlink(Arc::clone(&target))).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((made, refused), (MIB / (FILE + 4_000), FsError::NoSpace));
    assert_eq!(share.used().await, (made * (FILE + 4_000), made));
    for number in 0..made {
        share.remove(&format!("link-{number}")).await;
    }
    assert_eq!(share.used().await, (0, 0));
    let file = share.file("file").await;
    let mut names = 0;
    let refused = loop {
        let name = Name::new(format!("name-{names}").as_bytes()).unwrap();
        let request = LinkRequest { node: file, directory: NodeId::ROOT, name };
        match share.world.share.link(&share.caller, &request, None).await {
            Ok(_) => names += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((names, refused), ((MIB - FILE) / NAME_BYTES, FsError::NoSpace));
    share.assert_sums_are_right().await;
}

#[tokio::test(start_paused = true)]
async fn nodes_are_bounded_however_many_are_made_at_once() {
    let share = Share::new(Quota { nodes: 101, ..bytes(1 << 40) }).await;
    let names: Vec<String> = (0..300).map(|number| format!("file-{number}")).collect();
    let made = join_all(names.iter().map(|name| share.make(name, NewKind::File))).await;
    let refused = made.iter().filter(|made| **made == Err(FsError::NoSpace)).count();
    assert_eq!((made.iter().filter(|made| made.is_ok()).count(), refused), (100, 200));
    assert_eq!(share.used().await, (100 * FILE, 100));
    let first = names.iter().zip(&made).find(|(_, made)| made.is_ok()).unwrap().0;
    share.remove(first).await;
    share.make("another", NewKind::File).await.unwrap();
}

/// A quota that has become smaller refuses what is new; what was taken is stored, and may be written over.
#[tokio::test(start_paused = true)]
async fn a_flush_is_never_refused() {
    let share = Share::new(bytes(64 * MIB)).await;
    let file = share.file("file").await;
    share.fill(file, 0..20).await.unwrap();
    let share = share.reopened(bytes(10 * MIB)).await;
    assert_eq!(share.used().await.0, 10 * MIB, "no more than there is is shown as used");
    share.fill(file, 0..20).await.unwrap();
    share.flush().await;
    assert_eq!(share.write(file, 20 * MIB, 1, Stability::File).await, Err(FsError::NoSpace));
    share.world.pass(Duration::from_secs(1)).await;
    share.assert_sums_are_right().await;
}

#[tokio::test(start_paused = true)]
async fn a_share_of_an_earlier_release_counts_its_names_when_it_is_opened() {
    let share = Share::new(bytes(64 * MIB)).await;
    let target: Arc<[u8]> = vec![b'x'; 100].into();
    let file = share.file("file").await;
    share.make("link", NewKind::Symlink(target)).await.unwrap();
    share.fill(file, 0..3).await.unwrap();
    share.flush().await;
    let used = share.used().await;
    assert_eq!(used, (3 * MIB + 2 * FILE + 100, 2));
    // As it would be if only extents had been counted.
    let metadata = MetadataStore::share(&*share.metadata, SHARE).await.unwrap().unwrap();
    let mut plan = Plan::at(dittofs_domain::Timestamp::EPOCH);
    plan.change(Change::Count(Statistics { bytes: -((2 * FILE + 100) as i64), nodes: 0 }));
    metadata.apply(plan, None).await.unwrap();
    let before = |record: ShareRecord| ShareRecord { counts_names: false, ..record };
    share.world.close().await;
    metadata.put_record(&before(metadata.record().await.unwrap())).await.unwrap();
    let share = Share::on(share.metadata, share.content, bytes(64 * MIB), share.life + 1).await;
    assert_eq!(share.used().await, used);
    assert!(metadata.record().await.unwrap().counts_names);
    share.assert_sums_are_right().await;
}
