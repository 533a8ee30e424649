//! Entries, link counts, parents, notes, sums.

use dittofs_domain::{
    Cookie, NodeId,
    check::LOST_AND_FOUND,
    node::{NodeFlags, Parent},
    plan::{Change, EntryKey, LinkChange, NodeUpdate, Statistics, UnlinkedReason},
    quota::metadata_bytes,
};

use crate::share::{Share, name, noise, on_each_store};

fn links(links: LinkChange) -> NodeUpdate {
    NodeUpdate { links, ..NodeUpdate::default() }
}

fn nodes(nodes: i64) -> Change {
    Change::Count(Statistics { nodes, bytes: 0 })
}

#[test]
fn an_entry_that_leads_nowhere_is_removed() {
    on_each_store(async |share: Share| {
        let (_, found) = share.entry("/empty").await;
        share.apply([Change::DeleteNode(found.node.id), nodes(-1)]).await;
        share.finds(&[("no-node", "/empty")]).await;
        share.repairs().await;
    });
}

#[test]
fn link_counts_of_files_are_counted() {
    on_each_store(async |share: Share| {
        let small = share.node("/small").await.id;
        for wrong in [1, 3, 9] {
            share.update(small, links(LinkChange::Set(wrong))).await;
            share.finds(&[("link-count", "/docs/again")]).await;
            share.repairs().await;
            assert_eq!(share.node("/small").await.links, 2);
        }
        let empty = share.node("/empty").await.id;
        let parent = Some(Parent { directory: NodeId(77), cookie: Cookie(78) });
        share.update(empty, NodeUpdate { parent, ..links(LinkChange::Set(2)) }).await;
        share.finds(&[("link-count", "/empty")]).await;
        share.repairs().await;
    });
}

#[test]
fn link_counts_of_directories_are_two_and_their_subdirectories() {
    on_each_store(async |share: Share| {
        let docs = share.node("/docs").await.id;
        share.update(docs, links(LinkChange::Set(9))).await;
        share.update(NodeId::ROOT, links(LinkChange::Set(2))).await;
        share.finds(&[("link-count", "/docs"), ("link-count", "/")]).await;
        share.repairs().await;
        assert_eq!(share.node("/docs").await.links, 3);
    });
}

#[test]
fn a_second_name_of_a_directory_is_removed_and_the_first_one_stays() {
    on_each_store(async |share: Share| {
        let docs = share.node("/docs").await.id;
        let key = EntryKey::child(NodeId::ROOT, &name("alias"));
        let cookie = Cookie(share.world.metadata.allocate(dittofs_ports::Counter::Ids, 1).await.unwrap().start);
        share.apply([Change::InsertEntry { key, node: docs, cookie }]).await;
        share.update(NodeId::ROOT, links(LinkChange::Add(1))).await;
        share.finds(&[("second-name", "/alias")]).await;
        share.repairs().await;
        assert_eq!(share.read("/docs/again").await, noise(5_000));
    });
}

#[test]
fn a_wrong_parent_is_set_right() {
    on_each_store(async |share: Share| {
        let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(12_345) };
        let wrong = NodeUpdate { parent: Some(parent), ..NodeUpdate::default() };
        share.update(share.node("/docs/report").await.id, wrong.clone()).await;
        share.update(share.node("/docs/deep/er").await.id, wrong).await;
        share.finds(&[("wrong-parent", "/docs/report"), ("wrong-parent", "/docs/deep/er")]).await;
        share.repairs().await;
    });
}

#[test]
fn a_file_without_a_name_gets_one_and_keeps_its_bytes() {
    on_each_store(async |share: Share| {
        let (key, found) = share.entry("/docs/report").await;
        share.apply([Change::DeleteEntry(key)]).await;
        let id = found.node.id;
        share.finds(&[("no-name", &format!("#{id}"))]).await;
        let repaired = share.repairs().await;
        let path = format!("/{LOST_AND_FOUND}/#{id}");
        assert_eq!(repaired.findings[0].path.as_ref(), Some(&path));
        assert_eq!(share.read(&path).await, noise(3 << 20));
    });
}

#[test]
fn a_directory_without_a_name_gets_one_with_all_that_is_in_it() {
    on_each_store(async |share: Share| {
        let (key, found) = share.entry("/docs").await;
        share.apply([Change::DeleteEntry(key)]).await;
        share.update(NodeId::ROOT, links(LinkChange::Add(-1))).await;
        let id = found.node.id;
        share.finds(&[("no-name", &format!("#{id}"))]).await;
        share.repairs().await;
        assert_eq!(share.read(&format!("/{LOST_AND_FOUND}/#{id}/report")).await, noise(3 << 20));
        assert_eq!(share.node(&format!("/{LOST_AND_FOUND}")).await.mode, 0o700);
    });
}

#[test]
fn what_is_called_lost_and_found_is_left_alone_if_it_is_no_directory() {
    on_each_store(async |share: Share| {
        let (key, found) = share.entry("/empty").await;
        let taken = EntryKey::child(NodeId::ROOT, &name(LOST_AND_FOUND));
        share.apply([Change::DeleteEntry(key)]).await;
        let (node, cookie) = (found.node.id, found.cookie);
        share.apply([Change::InsertEntry { key: taken, node, cookie }]).await;
        let (key, lost) = share.entry("/docs/report").await;
        share.apply([Change::DeleteEntry(key)]).await;
        share.repairs().await;
        assert_eq!(share.node(&format!("/{LOST_AND_FOUND}")).await.id, node);
        assert_eq!(share.read(&format!("/{LOST_AND_FOUND}.1/#{}", lost.node.id)).await, noise(3 << 20));
    });
}

#[test]
fn directories_in_a_circle_are_broken_out_of_it() {
    on_each_store(async |share: Share| {
        let ((key, deep), (_, er)) = (share.entry("/docs/deep").await, share.entry("/docs/deep/er").await);
        let (docs, deep, er) = (key.directory, deep, er.node.id);
        let inner = EntryKey::child(er, &name("loop"));
        let parent = Some(Parent { directory: er, cookie: deep.cookie });
        share
            .apply([
                Change::DeleteEntry(key),
                Change::InsertEntry { key: inner, node: deep.node.id, cookie: deep.cookie },
                Change::UpdateNode(deep.node.id, NodeUpdate { parent, ..NodeUpdate::default() }),
                Change::UpdateNode(docs, links(LinkChange::Add(-1))),
                Change::UpdateNode(er, links(LinkChange::Add(1))),
            ])
            .await;
        let online = share.check(crate::share::QUIET).await;
        assert_eq!(online.findings.len(), 1, "{online:#?}");
        assert_eq!(online.findings[0].finding.class(), "circle");
        share.repairs().await;
        assert_eq!(share.node(&format!("/{LOST_AND_FOUND}/#{}/er", deep.node.id)).await.id, er);
    });
}

#[test]
fn a_file_with_names_that_is_marked_as_removed_is_not_deleted() {
    on_each_store(async |share: Share| {
        let small = share.node("/small").await.id;
        let removed = NodeUpdate { set_flags: NodeFlags::UNLINKED, ..links(LinkChange::Set(0)) };
        let note = Change::PutUnlinked { node: small, reason: UnlinkedReason::Reaping };
        share.apply([Change::UpdateNode(small, removed), note]).await;
        share.finds(&[("named-though-removed", "/docs/again")]).await;
        share.repairs().await;
        assert_eq!(share.node("/small").await.links, 2);
        assert_eq!(share.read("/docs/again").await, noise(5_000));
    });
}

#[test]
fn a_removed_node_that_nobody_would_delete_is_noted() {
    on_each_store(async |share: Share| {
        let (key, found) = share.entry("/docs/report").await;
        let id = found.node.id;
        let removed = NodeUpdate { set_flags: NodeFlags::UNLINKED, ..links(LinkChange::Set(0)) };
        share.apply([Change::DeleteEntry(key), Change::UpdateNode(id, removed)]).await;
        share.finds(&[("note-missing", &format!("#{id}"))]).await;
        share.repairs().await;
        assert_eq!(share.world.metadata.unlinked(NodeId(0), 9).await.unwrap(), [(id, UnlinkedReason::Reaping)]);
    });
}

#[test]
fn a_note_of_a_file_that_is_not_removed_goes() {
    on_each_store(async |share: Share| {
        let small = share.node("/small").await.id;
        share.apply([Change::PutUnlinked { node: small, reason: UnlinkedReason::Open }]).await;
        let empty = share.entry("/empty").await;
        let note = Change::PutUnlinked { node: empty.1.node.id, reason: UnlinkedReason::Open };
        let bytes = -(metadata_bytes(&empty.1.node) as i64);
        let gone = Change::Count(Statistics { nodes: -1, bytes });
        share.apply([note, Change::DeleteEntry(empty.0), Change::DeleteNode(empty.1.node.id), gone]).await;
        let gone = format!("#{}", empty.1.node.id);
        share.finds(&[("note-superfluous", "/docs/again"), ("note-superfluous", &gone)]).await;
        share.repairs().await;
    });
}

#[test]
fn sums_of_the_share_are_counted() {
    on_each_store(async |share: Share| {
        share.apply([Change::Count(Statistics { bytes: 4_097, nodes: -2 })]).await;
        share.finds(&[("statistics", "")]).await;
        share.repairs().await;
    });
}

#[test]
fn a_share_without_a_root_is_reported_and_nothing_is_made_up() {
    on_each_store(async |share: Share| {
        let new = Share::new(false).await;
        new.world.close().await;
        new.apply([Change::DeleteNode(NodeId::ROOT), nodes(-1)]).await;
        new.finds(&[("no-root", "")]).await;
        new.keeps(&[("no-root", "")]).await;
        drop(share);
    });
}

#[test]
fn much_damage_at_once_is_repaired_in_one_run() {
    on_each_store(async |share: Share| {
        let docs = share.entry("/docs").await;
        let report = share.entry("/docs/report").await;
        let er = share.entry("/docs/deep/er").await;
        share.apply([Change::DeleteEntry(report.0), Change::DeleteEntry(docs.0), Change::DeleteEntry(er.0)]).await;
        share.update(share.node("/small").await.id, links(LinkChange::Set(7))).await;
        share.update(docs.1.node.id, links(LinkChange::Set(17))).await;
        share.apply([Change::Count(Statistics { bytes: 1, nodes: 1 })]).await;
        let repaired = share.repairs().await;
        assert!(repaired.findings.len() >= 7, "{repaired:#?}");
        for (id, bytes) in [(report.1.node.id, noise(3 << 20))] {
            assert_eq!(share.read(&format!("/{LOST_AND_FOUND}/#{id}")).await, bytes);
        }
        assert_eq!(share.read("/small").await, noise(5_000));
    });
}
