//! Rows of maps. What is lost in one is not invented: it is reported, and stays an error.

use dittofs_domain::{
    ContentVersion,
    content::{Extent, MapRow},
    plan::{Change, NodeUpdate},
};

use crate::share::{Share, on_each_store};

fn holes(pages: u64) -> MapRow {
    MapRow::Holes { version: ContentVersion(0), pages }
}

#[test]
fn pages_that_no_row_covers_are_found() {
    on_each_store(async |share: Share| {
        let node = share.node("/docs/report").await.id;
        share.apply([Change::DeleteRow { node, page: 1 }]).await;
        let report = share.finds(&[("uncovered", "/docs/report"), ("allocated", "/docs/report")]).await;
        assert!(report.findings.iter().any(|found| found.finding.to_string().contains("pages 1 to 1")), "{report:#?}");
        share.keeps(&[("uncovered", "/docs/report")]).await;
    });
}

#[test]
fn pages_that_two_rows_cover_are_found() {
    on_each_store(async |share: Share| {
        let node = share.node("/docs/report").await.id;
        share.apply([Change::PutRow { node, page: 0, row: holes(2) }]).await;
        share.finds(&[("overlap", "/docs/report"), ("allocated", "/docs/report")]).await;
        share.keeps(&[("overlap", "/docs/report")]).await;
    });
}

#[test]
fn rows_behind_the_end_are_found() {
    on_each_store(async |share: Share| {
        let node = share.node("/docs/report").await.id;
        share.apply([Change::PutRow { node, page: 3, row: holes(1) }]).await;
        share.finds(&[("behind-end", "/docs/report")]).await;
        share.keeps(&[("behind-end", "/docs/report")]).await;
    });
}

#[test]
fn bytes_behind_the_end_are_found() {
    on_each_store(async |share: Share| {
        let node = share.node("/small").await.id;
        share.update(node, NodeUpdate { size: Some(4_000), ..NodeUpdate::default() }).await;
        share.finds(&[("behind-end", "/docs/again")]).await;
    });
}

/// Redb takes no such row; that it finds one is reported as a map that can't be read.
#[tokio::test]
async fn a_page_that_its_extents_do_not_tile_is_found() {
    let share = Share::closed(false).await;
    let node = share.node("/docs/report").await.id;
    let row = MapRow::Page { version: ContentVersion(0), extents: vec![Extent::Hole { len: 512 }] };
    share.apply([Change::PutRow { node, page: 1, row }]).await;
    share.finds(&[("malformed", "/docs/report"), ("allocated", "/docs/report")]).await;
    share.keeps(&[("malformed", "/docs/report")]).await;
}

#[test]
fn rows_of_what_has_no_content_are_found() {
    on_each_store(async |share: Share| {
        let node = share.node("/docs").await.id;
        share.apply([Change::PutRow { node, page: 0, row: holes(1) }]).await;
        share.finds(&[("no-content", "/docs")]).await;
    });
}

#[test]
fn allocated_bytes_are_counted() {
    on_each_store(async |share: Share| {
        for allocated in [4_096, -4_096] {
            let node = share.node("/docs/report").await.id;
            share.update(node, NodeUpdate { allocated, ..NodeUpdate::default() }).await;
            let sums = Change::Count(dittofs_domain::plan::Statistics { bytes: allocated, nodes: 0 });
            share.apply([sums]).await;
            share.finds(&[("allocated", "/docs/report")]).await;
            share.repairs().await;
        }
    });
}
