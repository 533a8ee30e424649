//! A share in memory with a few files.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Credentials, Name, Node, NodeId, Scale,
    content::map,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
    plan::{MapView, Query},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, Changed, CheckOptions, CloneRange, MetadataService, MetadataStore, Seek,
    Stability,
};
use dittofs_tests::world::{SHARE, Stores, World, caller};

use crate::counted::Counted;

pub(crate) struct Share {
    pub(crate) world: World,
    pub(crate) content: Arc<Counted>,
    pub(crate) caller: Caller,
}

impl Share {
    pub(crate) async fn new() -> Share {
        Share::on(Arc::new(MemoryMetadataStore::new())).await
    }

    pub(crate) async fn on(metadata: Arc<dyn MetadataStore>) -> Share {
        let content = Arc::new(Counted::default());
        let stores = Stores {
            metadata,
            content: Arc::clone(&content) as Arc<_>,
            journal: Arc::new(NullJournal::new(256 << 20)),
            cache: Arc::new(NoBlockCache),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let world = World::open(stores, 64 << 20, 7).await;
        Share { world, content, caller: caller(Credentials::user(1_000, 1_000)) }
    }

    pub(crate) async fn create(&self, name: &str, mode: u16) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(mode), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.world.share.create(&self.caller, &request, None).await.unwrap();
        made.node.node
    }

    pub(crate) async fn write(&self, file: NodeId, offset: u64, data: Vec<u8>) {
        let written = self.world.share.write(&self.caller, file, offset, Bytes::from(data), Stability::Unstable);
        written.await.unwrap();
    }

    pub(crate) async fn flush(&self) {
        self.world.services.flush().await.unwrap();
    }

    pub(crate) async fn read(&self, file: NodeId, range: Range<u64>) -> Vec<u8> {
        let length = (range.end - range.start) as u32;
        self.world.share.read(&self.caller, file, range.start, length).await.unwrap().data.concat()
    }

    pub(crate) async fn punch(&self, file: NodeId, range: Range<u64>) -> Changed {
        self.world.share.punch(&self.caller, file, range).await.unwrap()
    }

    pub(crate) async fn seek(&self, file: NodeId, offset: u64, what: Seek) -> FsResult<Option<u64>> {
        self.world.share.seek(&self.caller, file, offset, what).await
    }

    pub(crate) async fn ranges(&self, file: NodeId) -> Vec<Range<u64>> {
        let answer = self.world.share.allocated_ranges(&self.caller, file, 0..u64::MAX, 1_000).await.unwrap();
        assert_eq!(answer.next, None);
        answer.ranges
    }

    pub(crate) async fn clone_to(
        &self,
        source: NodeId,
        range: Range<u64>,
        destination: NodeId,
        at: u64,
    ) -> FsResult<Changed> {
        let request = CloneRange {
            source,
            source_opener: None,
            offset: range.start,
            length: range.end - range.start,
            destination,
            at,
        };
        self.world.share.clone_range(&self.caller, &request).await
    }

    /// A node as stored, with the first rows of its map.
    pub(crate) async fn stored(&self, file: NodeId) -> (Node, MapView) {
        let query = Query { map: Some(map::reap_node_query(file, &Scale::PRODUCTION)), ..Query::node(file) };
        let view = self.world.metadata.view(&query).await.unwrap();
        (Node::clone(view.node(file).unwrap()), view.map)
    }

    /// Nothing is wrong with the share, down to the bytes of its objects.
    pub(crate) async fn check(&self) {
        let options = CheckOptions { content: true, ..CheckOptions::default() };
        let report = self.world.services.check(SHARE, options, Arc::new(())).await.unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

pub(crate) fn content(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| seed.wrapping_add((at / 7) as u8) | 1).collect()
}
