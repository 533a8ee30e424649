//! A file that is almost all hole.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Credentials, NodeId, Scale,
    content::map::{Facts, Piece, Source, install, install_query, resolve, resolve_query},
    namespace::{InitialAttributes, SetAttributes},
    plan::{Expectation, NodeUpdate, Plan, Query},
    quota::metadata_bytes,
};
use dittofs_ports::MetadataStore;

use super::{
    Fixture,
    fixture::time,
    request::{Act, Request, fresh, new_file},
};

const EXBIBYTE: u64 = 1 << 60;

/// Lays one byte into a file's map, as a flush does.
async fn write_byte(fixture: &Fixture, node: NodeId, offset: u64, byte: u8) {
    let piece = Piece { offset, len: 1, source: Source::Inline(Bytes::from(vec![byte])) };
    let pieces = [piece];
    let query = Query { map: Some(install_query(node, &pieces, &Scale::PRODUCTION)), ..Query::node(node) };
    let view = fixture.view(query).await;
    let facts = Facts::of(view.node(node).unwrap(), &Scale::PRODUCTION);
    let installed = install(&view.map, &facts, &pieces, facts.size.max(offset + 1)).unwrap();
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::ContentVersion { node, version: facts.content_version });
    installed.edit.add_to(&mut plan, node, NodeUpdate::changed());
    fixture.apply(plan).await;
}

/// The bytes of a short range, from inline extents and holes.
async fn read(fixture: &Fixture, node: NodeId, start: u64, len: u64) -> Vec<u8> {
    let range = start..start + len;
    let query = Query { map: Some(resolve_query(node, &range, &Scale::PRODUCTION)), ..Query::node(node) };
    let view = fixture.view(query).await;
    let found = view.node(node).unwrap();
    let mut out = Vec::new();
    for piece in resolve(&view.map, &Facts::of(found, &Scale::PRODUCTION), range).unwrap() {
        match piece.source {
            Source::Hole => out.resize(out.len() + piece.len as usize, 0),
            Source::Inline(bytes) => out.extend_from_slice(&bytes),
            Source::Stored(_) => panic!("nothing was stored"),
        }
    }
    out
}

async fn create(fixture: &Fixture, size: u64) -> NodeId {
    let mut request = new_file(NodeId::ROOT, "sparse");
    request.attributes = InitialAttributes { size: Some(size), ..request.attributes };
    let (credentials, fresh) = (Credentials::root(), fresh(fixture));
    let act = Act { what: "create", request: Request::Create(request), credentials, now: time(1_500), fresh };
    act.run(fixture).await.unwrap();
    fresh.node
}

pub async fn a_file_of_1_eib_with_three_bytes_takes_less_than_10_rows(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let before = fixture.share.statistics().await.unwrap();
    let node = create(&fixture, EXBIBYTE).await;
    let places = [(0, 1), (EXBIBYTE / 3, 2), (EXBIBYTE - 1, 3)];
    for (offset, byte) in places {
        write_byte(&fixture, node, offset, byte).await;
    }
    let rows = fixture.rows(node).await;
    assert!(rows.len() < 10, "{} rows", rows.len());
    let found = fixture.node(node).await.unwrap();
    assert_eq!((found.size, found.allocated), (EXBIBYTE, 3));
    let counted = 3 + metadata_bytes(&found) as i64;
    assert_eq!(fixture.share.statistics().await.unwrap().bytes, before.bytes + counted);

    for (offset, byte) in places {
        let start = offset.saturating_sub(5_000_000);
        let len = 10_000_000.min(EXBIBYTE - start);
        let mut expected = vec![0; len as usize];
        expected[(offset - start) as usize] = byte;
        assert_eq!(read(&fixture, node, start, len).await, expected, "around {offset}");
    }
    for offset in [1 << 20, 1 << 40, EXBIBYTE / 2, EXBIBYTE - (3 << 20)] {
        assert_eq!(read(&fixture, node, offset, 100_000).await, vec![0; 100_000]);
    }
    let range = 0..EXBIBYTE;
    let view =
        fixture.view(Query { map: Some(resolve_query(node, &range, &Scale::PRODUCTION)), ..Query::default() }).await;
    let facts = Facts::of(&found, &Scale::PRODUCTION);
    assert!(resolve(&view.map, &facts, range).unwrap().len() < 10);
}

pub async fn a_file_that_grows_by_a_write_far_behind_its_end_has_no_gap(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let node = create(&fixture, 0).await;
    assert!(fixture.rows(node).await.is_empty());
    for (offset, byte) in [(10, 1), (1 << 30, 2), (1 << 62, 3)] {
        write_byte(&fixture, node, offset, byte).await;
    }
    assert_eq!(fixture.node(node).await.unwrap().size, (1 << 62) + 1);
    assert!(fixture.rows(node).await.len() < 10);
    for (offset, byte) in [(10, 1), (1 << 30, 2), (1 << 62, 3), (5 << 20, 0), (1 << 50, 0)] {
        assert_eq!(read(&fixture, node, offset, 1).await, [byte]);
    }
    let size = Request::Set(node, SetAttributes::size(11));
    let (credentials, fresh) = (Credentials::root(), fresh(&fixture));
    Act { what: "truncate", request: size, credentials, now: time(3_000), fresh }.run(&fixture).await.unwrap();
    assert_eq!(fixture.rows(node).await.len(), 1);
    assert_eq!(read(&fixture, node, 0, 100).await, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}
