//! References and the rows of objects.

use dittofs_domain::{
    NodeId, ObjectId,
    plan::{Change, ObjectRecord, ObjectState, Reference},
};
use dittofs_ports::{CheckOptions, RepairOutcome, ShareRecord};
use dittofs_tests::world::SHARE;

use crate::share::{REPAIR, Share, assert_clean, noise, on_each_store};

#[test]
fn a_missing_reference_is_added() {
    on_each_store(async |share: Share| {
        let Reference { object, node, chunk, .. } = share.references("/docs/report").await[0];
        share.apply([Change::DeleteReference(Reference::live(object, node, chunk))]).await;
        share.finds(&[("reference-missing", "/docs/report")]).await;
        share.repairs().await;
        assert_eq!(share.references("/docs/report").await, [Reference::live(object, node, chunk)]);
    });
}

#[test]
fn superfluous_references_are_removed() {
    on_each_store(async |share: Share| {
        let Reference { object, node, .. } = share.references("/docs/report").await[0];
        let nobody = NodeId(1 << 40);
        share.apply([Change::InsertReference(Reference::live(object, node, 7))]).await;
        share.apply([Change::InsertReference(Reference::live(object, nobody, 0))]).await;
        share.finds(&[("reference-superfluous", "/docs/report"), ("reference-superfluous", "#1099511627776")]).await;
        share.repairs().await;
        assert_eq!(share.references("/docs/report").await.len(), 1);
    });
}

#[test]
fn a_reference_in_the_place_of_another_one_is_seen() {
    on_each_store(async |share: Share| {
        let Reference { object, node, chunk, .. } = share.references("/docs/report").await[0];
        share.apply([Change::DeleteReference(Reference::live(object, node, chunk))]).await;
        share.apply([Change::InsertReference(Reference::live(object, node, chunk + 1))]).await;
        share.finds(&[("reference-missing", "/docs/report"), ("reference-superfluous", "/docs/report")]).await;
        share.repairs().await;
    });
}

#[test]
fn an_object_that_files_use_is_live_again_and_never_deleted() {
    on_each_store(async |share: Share| {
        let object = share.object("/docs/report").await;
        for state in [ObjectState::PendingDelete, ObjectState::Writing] {
            share.apply([Change::PutObject(ObjectRecord { state, bytes: 0, ..object })]).await;
            let report = share.check(crate::share::QUIET).await;
            assert!(report.findings.iter().any(|found| found.path.as_deref() == Some("/docs/report")), "{report:#?}");
            assert!(report.findings.iter().all(|found| found.finding.class() == "object-not-live"), "{report:#?}");
            share.repairs().await;
            assert_eq!(share.object("/docs/report").await, object);
        }
        share.apply([Change::DeleteObject(object.id)]).await;
        let report = share.check(crate::share::QUIET).await;
        let classes: Vec<&str> = report.findings.iter().map(|found| found.finding.class()).collect();
        assert!(classes.iter().all(|class| *class == "object-not-live"), "{report:#?}");
        // It is in the content store and no row speaks of it, but files use it: it must not go as an orphan.
        let all = CheckOptions { delete_orphans: true, ..REPAIR };
        share.world.content.put(SHARE, ObjectId(5), vec!["abcd".into()]).await.unwrap();
        for reference in share.references("/docs/report").await {
            let Reference { object, node, chunk, .. } = reference;
            share.apply([Change::DeleteReference(Reference::live(object, node, chunk))]).await;
        }
        share.check_offline(all).await;
        assert_eq!(share.world.content.list(SHARE, None, 9).await.unwrap().len(), 1);
        assert_clean(&share.check_offline(crate::share::QUIET).await);
        assert_eq!(share.read("/docs/report").await, noise(3 << 20));
    });
}

#[test]
fn an_object_whose_row_is_short_is_found() {
    on_each_store(async |share: Share| {
        let object = share.object("/docs/report").await;
        share.apply([Change::PutObject(ObjectRecord { bytes: 100, ..object })]).await;
        let report = share.check(crate::share::QUIET).await;
        let classes: Vec<&str> = report.findings.iter().map(|found| found.finding.class()).collect();
        assert!(classes.contains(&"outside-object") && classes.contains(&"object-length"), "{report:#?}");
    });
}

#[test]
fn an_unused_object_is_a_note_and_becomes_pending_delete() {
    on_each_store(async |share: Share| {
        let object = ObjectRecord { id: ObjectId(77), bytes: 4, ..share.object("/docs/report").await };
        share.world.content.put(SHARE, object.id, vec!["abcd".into()]).await.unwrap();
        share.apply([Change::PutObject(object)]).await;
        let report = share.check(crate::share::QUIET).await;
        assert!(report.is_clean() && report.findings.len() == 1, "{report:#?}");
        assert_eq!(report.findings[0].finding.class(), "unused");
        share.repairs().await;
        let records = share.world.metadata.objects(None, 9).await.unwrap();
        assert_eq!(records.iter().find(|record| record.id == object.id).unwrap().state, ObjectState::PendingDelete);
    });
}

#[test]
fn orphans_are_deleted_only_if_that_is_asked_for_and_they_are_ours() {
    on_each_store(async |share: Share| {
        let listed = async || share.world.content.list(SHARE, None, 100).await.unwrap().len();
        let before = listed().await;
        share.world.content.put(SHARE, ObjectId(5), vec!["abcd".into()]).await.unwrap();
        share.world.content.put(SHARE, ObjectId(u128::MAX), vec!["ef".into()]).await.unwrap();
        let report = share.check_offline(REPAIR).await;
        assert!(report.is_clean(), "{report:#?}");
        assert!(report.findings[0].finding.to_string().starts_with("2 objects of 6 bytes"), "{report:#?}");
        let ask = CheckOptions { delete_orphans: true, ..REPAIR };
        let record = share.world.metadata.record().await.unwrap();
        share.world.metadata.put_record(&ShareRecord { content_owner: 99, ..record.clone() }).await.unwrap();
        assert_eq!(share.check_offline(ask).await.findings[0].repair, RepairOutcome::No);
        assert_eq!(listed().await, before + 2, "they may be somebody else's");
        share.world.metadata.put_record(&record).await.unwrap();
        let without_repair = CheckOptions { repair: false, ..ask };
        assert_eq!(share.check_offline(without_repair).await.findings[0].repair, RepairOutcome::NotAsked);
        assert_eq!(listed().await, before + 2);
        assert_eq!(share.check_offline(ask).await.findings[0].repair, RepairOutcome::Done);
        assert_eq!(listed().await, before);
    });
}
