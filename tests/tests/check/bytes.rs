//! Bytes in objects.

use dittofs_domain::{
    check::{Damage, Finding},
    content::{Extent, FRAME_BYTES, MapRow, block::head_len},
    plan::{MapQuery, Query},
};
use dittofs_ports::CheckOptions;
use dittofs_tests::world::SHARE;

use crate::share::{MIB, QUIET, Share, on_each_store};

/// Where the block of a file's first bytes is.
async fn block(share: &Share, path: &str) -> dittofs_domain::content::BlockPlace {
    let node = share.node(path).await.id;
    let map = MapQuery { node, first_page: 0, last_page: 0, rows_max: 2 };
    let view = share.world.metadata.view(&Query { map: Some(map), ..Query::default() }).await.unwrap();
    let MapRow::Page { extents, .. } = &view.map.rows[0].1 else { panic!("a hole") };
    let Extent::Stored { from, .. } = &extents[0] else { panic!("not stored") };
    from.block
}

#[test]
fn a_damaged_frame_is_reported_with_the_bytes_that_it_loses() {
    on_each_store(async |share: Share| {
        let object = share.object("/docs/report").await;
        let place = block(&share, "/docs/report").await;
        let mut bytes = share.bytes_of(&object).await;
        // The last byte of the fourth frame, and one of the eleventh.
        let frames = place.at as usize + head_len(place.raw_len) as usize;
        bytes[frames + 4 * FRAME_BYTES as usize - 1] ^= 1;
        bytes[frames + 10 * FRAME_BYTES as usize] ^= 0x80;
        share.replace(object.id, bytes).await;
        let report = share.finds(&[("damaged", "/docs/report"), ("damaged", "/docs/report")]).await;
        let ranges = report.findings.iter().map(|found| match &found.finding {
            Finding::Damaged { range, damage: Damage::Block(_), .. } => range.clone(),
            other => panic!("{other:?}"),
        });
        let frame = u64::from(FRAME_BYTES);
        assert_eq!(ranges.collect::<Vec<_>>(), [3 * frame..4 * frame, 10 * frame..11 * frame]);
        share.keeps(&[("damaged", "/docs/report"), ("damaged", "/docs/report")]).await;
        let quick = share.check(CheckOptions { content: false, ..QUIET }).await;
        assert!(quick.is_clean() && quick.verified_bytes == 0, "no byte is read without being asked for: {quick:#?}");
    });
}

#[test]
fn a_damaged_head_loses_the_block() {
    on_each_store(async |share: Share| {
        let object = share.object("/small").await;
        let place = block(&share, "/small").await;
        let mut bytes = share.bytes_of(&object).await;
        bytes[place.at as usize + 20] ^= 1;
        share.replace(object.id, bytes).await;
        let report = share.finds(&[("damaged", "/docs/again")]).await;
        assert!(report.findings[0].finding.to_string().starts_with("bytes 0 to 4999 are lost"), "{report:#?}");
    });
}

#[test]
fn a_missing_object_is_reported_with_its_files_even_without_reading() {
    on_each_store(async |share: Share| {
        let object = share.object("/docs/report").await;
        let is_shared = share.object("/small").await == object;
        share.world.content.delete(SHARE, object.id).await.unwrap();
        let mut lost = vec![("damaged", "/docs/report")];
        lost.extend(is_shared.then_some(("damaged", "/docs/again")));
        let report = share.finds(&lost).await;
        assert!(report.findings.iter().all(|found| found.finding.to_string().contains("not there")), "{report:#?}");
        let quick = share.check(CheckOptions { content: false, ..QUIET }).await;
        assert_eq!(crate::share::classes_and_paths(&quick), crate::share::classes_and_paths(&report));
        share.keeps(&lost).await;
    });
}

#[test]
fn a_short_object_loses_what_it_lacks() {
    on_each_store(async |share: Share| {
        let object = share.object("/docs/report").await;
        let mut bytes = share.bytes_of(&object).await;
        bytes.truncate(MIB);
        share.replace(object.id, bytes).await;
        let report = share.check(CheckOptions { content: false, ..QUIET }).await;
        let classes: Vec<&str> = report.findings.iter().map(|found| found.finding.class()).collect();
        assert!(classes.contains(&"object-length") && classes.contains(&"damaged"), "{report:#?}");
        assert!(report.findings.iter().any(|found| found.path.as_deref() == Some("/docs/report")), "{report:#?}");
    });
}

#[test]
fn what_is_verified_is_all_that_files_use() {
    on_each_store(async |share: Share| {
        let report = share.check(QUIET).await;
        assert!(report.verified_bytes as usize >= 3 * MIB + 5_000, "{report:#?}");
    });
}
