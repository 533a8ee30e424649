//! A share with something of every record in it.

use std::sync::Arc;

use dittofs_domain::{
    ContentVersion, Cookie, Epoch, HandleKey, KeyId, Name, Node, NodeId, NodeKind, ObjectId, PlaceId, ShareId,
    Timestamp,
    content::{BlockPlace, Extent, MapRow, PAGE_BYTES, PendingTruncation, Stored},
    node::Parent,
    plan::{
        Change, EntryKey, Expectation, MapQuery, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Reference, Space,
        Statistics, UnlinkedReason,
    },
};
use dittofs_ports::{Counter, MetadataStore, ShareMetadata, ShareRecord};

pub(crate) const SHARE: ShareId = ShareId(0xD177);
const NOW: Timestamp = match Timestamp::new(1_000, 7) {
    Some(now) => now,
    None => Timestamp::EPOCH,
};

pub(crate) fn share_record() -> ShareRecord {
    ShareRecord {
        handle_key: HandleKey([7; 16]),
        content_owner: 8,
        journal: 9,
        journal_incarnation: 10,
        dirty: true,
        ..ShareRecord::new(SHARE, "/export")
    }
}

pub(crate) fn node(id: NodeId, kind: NodeKind, parent: Parent) -> Node {
    Node { mode: 0o644, uid: 1, gid: 2, links: 1, ..Node::bare(id, kind, parent, NOW) }
}

pub(crate) fn key(text: &str) -> EntryKey {
    EntryKey::child(NodeId::ROOT, &Name::new(text.as_bytes()).unwrap())
}

/// A file in the root, and its cookie the next number.
pub(crate) fn creation(text: &str, number: u64) -> Plan {
    let (id, cookie) = (NodeId(number), Cookie(number + 1));
    let mut plan = Plan::at(NOW);
    plan.require(Expectation::EntryAbsent(key(text))).require(Expectation::Linked(NodeId::ROOT));
    let parent = Parent { directory: NodeId::ROOT, cookie };
    plan.change(Change::InsertNode(Box::new(node(id, NodeKind::File, parent))));
    plan.change(Change::InsertEntry { key: key(text), node: id, cookie });
    plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate::entries_changed()));
    plan.change(Change::Count(Statistics { nodes: 1, bytes: 0 }));
    plan
}

pub(crate) async fn open_share(store: &impl MetadataStore) -> Arc<dyn ShareMetadata> {
    let root = node(NodeId::ROOT, NodeKind::Directory, Parent { directory: NodeId::ROOT, cookie: Cookie::START });
    store.create_share(&share_record(), &root).await.unwrap();
    store.share(SHARE).await.unwrap().unwrap()
}

/// Puts something of every record into a share: 20 files, of which one has rows and a pending truncation, and one has
/// no name.
pub(crate) async fn fill(share: &dyn ShareMetadata) {
    let first = share.allocate(Counter::Ids, 100).await.unwrap().start;
    for index in 0..20 {
        let initial = if index % 4 == 3 { 'F' } else { 'f' };
        share.apply(creation(&format!("{initial}{index}"), first + 2 * index), None).await.unwrap();
    }
    let (file, nameless, object) = (NodeId(first), NodeId(first + 2), ObjectId(0xABCD));
    let block = BlockPlace { at: 64, stored_len: 900, raw_len: 800, codec: 0, key_id: KeyId::NONE };
    let row = MapRow::Page {
        version: ContentVersion(1),
        extents: vec![
            Extent::Inline(vec![5; 100].into()),
            Extent::Stored { len: 700, from: Stored { object, block, skip: 100 } },
            Extent::Hole { len: PAGE_BYTES as u32 - 800 },
        ],
    };
    let pending = PendingTruncation { offset: 5, version: ContentVersion(2), end_page: 9 };
    let mut plan = Plan::at(NOW);
    plan.change(Change::PutRow { node: file, page: 0, row });
    plan.change(Change::PutRow { node: file, page: 1, row: MapRow::Holes { version: ContentVersion(1), pages: 8 } });
    plan.change(Change::UpdateNode(
        file,
        NodeUpdate { pending_truncation: Some(Some(pending)), ..NodeUpdate::changed() },
    ));
    plan.change(Change::DeleteEntry(key("f1")));
    plan.change(Change::PutUnlinked { node: nameless, reason: UnlinkedReason::Open });
    let record =
        ObjectRecord { id: object, state: ObjectState::Live, owner: Epoch(3), bytes: 1_000, place: PlaceId::HOME };
    plan.change(Change::PutObject(record));
    plan.change(Change::InsertReference(Reference::live(object, file, 0)));
    plan.change(Change::RaiseTopology);
    plan.change(Change::Count(Statistics { bytes: 800, nodes: 0 }));
    share.apply(plan, None).await.unwrap();
}

/// All that a store holds, as text to compare.
pub(crate) async fn dump(store: &impl MetadataStore) -> String {
    let share = store.share(SHARE).await.unwrap().unwrap();
    let listing = share.list(NodeId::ROOT, Space::Children, Cookie::START, 100_000, true).await.unwrap();
    let unlinked = share.unlinked(NodeId(0), 100).await.unwrap();
    let objects = share.objects(None, 100).await.unwrap();
    let mut maps = Vec::new();
    for id in listing.entries.iter().map(|entry| entry.node).chain(unlinked.iter().map(|(id, _)| *id)) {
        let map = Some(MapQuery { node: id, first_page: 0, last_page: u64::MAX, rows_max: 100 });
        maps.push(share.view(&Query { map, ..Query::node(id) }).await.unwrap());
    }
    let mut alike = Vec::new();
    for entry in &listing.entries {
        let query = Query::child(NodeId::ROOT, EntryKey::child(NodeId::ROOT, &entry.name)).in_any_case();
        alike.push(share.view(&query).await.unwrap().folded);
    }
    let mut references = Vec::new();
    for object in &objects {
        references.push(share.references(object.id, 100).await.unwrap());
    }
    let root = share.view(&Query { ancestors_of: Some(NodeId::ROOT), ..Query::node(NodeId::ROOT) }).await.unwrap();
    let shares = store.shares().await.unwrap();
    let nodes = share.nodes(NodeId(0), 100_000).await.unwrap();
    let all_references = share.references_after(None, 100_000).await.unwrap();
    let pending = share.pending_truncations(NodeId(0), 100).await.unwrap();
    let statistics = share.statistics().await.unwrap();
    format!(
        "{shares:?}\n{root:?}\n{listing:?}\n{maps:?}\n{unlinked:?} {pending:?} {objects:?} {references:?} {statistics:?}\n\
         {nodes:?} {all_references:?} {alike:?}"
    )
}
