//! `dittofs check` of a share with damaged rows reports them, and goes on with everything else.

use std::sync::Arc;

use dittofs_application::{CheckStores, check_stores};
use dittofs_domain::{
    NodeId,
    namespace::NewKind,
    plan::{Change, LinkChange, NodeUpdate, Plan, Statistics},
};
use dittofs_frame_sealer::Sealer;
use dittofs_ports::{AdminService, CheckOptions, CheckReport, ShareMetadata, ShareRecord};
use dittofs_tests::world::{SHARE, SteppedClock};

use super::{KIB, QUIET, Share, bytes, on_each_store};

const REPAIR: CheckOptions = CheckOptions { repair: true, delete_orphans: true, ..QUIET };

fn classes_and_paths(report: &CheckReport) -> Vec<(&str, &str)> {
    let found = report.findings.iter();
    let mut found: Vec<_> = found.map(|one| (one.finding.class(), one.path.as_deref().unwrap_or_default())).collect();
    found.sort_unstable();
    found
}

impl Share {
    /// As the command does it without a server: with the damage, or past it.
    async fn checked(&self, options: CheckOptions, is_damaged: bool) -> CheckReport {
        let whole = self.metadata.share(SHARE).await.unwrap().unwrap();
        let stores = CheckStores {
            metadata: if is_damaged { Arc::clone(&self.world.metadata) } else { whole },
            content: Arc::clone(&self.content),
            sealer: Arc::new(Sealer::none()),
            clock: Arc::clone(&self.world.clock) as Arc<_>,
        };
        check_stores(stores, options, Arc::new(())).await.unwrap()
    }

    async fn whole(&self) -> Arc<dyn ShareMetadata> {
        self.metadata.share(SHARE).await.unwrap().unwrap()
    }

    /// `/docs/deep/er` and `/docs/report`, and files beside them; answers `/docs` and the files `/one` to `/four`.
    async fn filled(&self) -> (NodeId, [NodeId; 4]) {
        let docs = self.make(NodeId::ROOT, "docs", NewKind::Directory).await;
        let deep = self.make(docs, "deep", NewKind::Directory).await;
        self.make(deep, "er", NewKind::Directory).await;
        let report = self.make(docs, "report", NewKind::File).await;
        self.write(report, 0, &bytes(9, 100 * KIB)).await;
        let mut files = Vec::new();
        for (name, seed) in [("one", 1), ("two", 2), ("three", 3), ("four", 4)] {
            let file = self.create(name).await;
            self.write(file, 0, &bytes(seed, 100 * KIB)).await;
            files.push(file);
        }
        self.world.services.flush().await.unwrap();
        (docs, files.try_into().unwrap())
    }

    /// Something that any check has to find.
    async fn set_links(&self, node: NodeId, links: u32) {
        let mut plan = Plan::at(SteppedClock::START);
        let update = NodeUpdate { links: LinkChange::Set(links), ..NodeUpdate::changed() };
        plan.change(Change::UpdateNode(node, update));
        self.whole().await.apply(plan, None).await.unwrap();
    }
}

#[test]
fn damaged_rows_of_nodes_are_reported_by_path_and_everything_else_is_checked_and_repaired() {
    on_each_store(async |share: Share| {
        let (docs, [one, two, _, four]) = share.filled().await;
        share.set_links(four, 7).await;
        // Two that follow each other, and a directory with a subdirectory.
        share.damage.nodes.lock().extend([docs, one, two]);
        let expected = [
            ("link-count", "/four"),
            ("node-unreadable", "/docs"),
            ("node-unreadable", "/one"),
            ("node-unreadable", "/two"),
        ];
        let online = share.world.services.check(SHARE, QUIET, Arc::new(())).await.unwrap();
        assert_eq!(classes_and_paths(&online), expected, "{online:#?}");
        assert!(online.findings.iter().any(|one| one.finding.to_string().contains(&docs.to_string())));
        assert_eq!((online.nodes, online.undecided), (9, 0));
        share.world.close().await;
        let offline = share.checked(REPAIR, true).await;
        assert_eq!(classes_and_paths(&offline), expected, "{offline:#?}");
        assert_eq!(offline.repaired(), 1);
        assert_eq!(classes_and_paths(&share.checked(QUIET, true).await), expected[1..]);
        // Nothing was taken from what could not be read, or moved out of it.
        let whole = share.checked(QUIET, false).await;
        assert!(whole.is_clean() && whole.undecided == 0, "{whole:#?}");
    });
}

#[test]
fn entries_that_cannot_be_read_are_reported_and_nothing_that_may_have_its_name_there_is_moved() {
    on_each_store(async |share: Share| {
        let (docs, _) = share.filled().await;
        share.set_links(NodeId::ROOT, 9).await;
        share.damage.listings.lock().insert(docs);
        let expected = [("entries-unreadable", "/docs"), ("link-count", "/")];
        let online = share.world.services.check(SHARE, QUIET, Arc::new(())).await.unwrap();
        assert_eq!(classes_and_paths(&online), expected, "{online:#?}");
        assert_eq!(online.undecided, 2, "what is in the directory");
        share.world.close().await;
        let offline = share.checked(REPAIR, true).await;
        assert_eq!(classes_and_paths(&offline), expected, "{offline:#?}");
        assert_eq!(offline.repaired(), 1);
        let whole = share.checked(QUIET, false).await;
        assert!(whole.is_clean() && whole.undecided == 0, "{whole:#?}");
    });
}

#[test]
fn a_share_of_an_earlier_release_opens_although_rows_of_nodes_are_damaged() {
    on_each_store(async |share: Share| {
        let (docs, [one, two, ..]) = share.filled().await;
        let metadata = share.whole().await;
        let (record, sums) = (metadata.record().await.unwrap(), metadata.statistics().await.unwrap());
        metadata.put_record(&ShareRecord { counts_names: false, ..record }).await.unwrap();
        let mut plan = Plan::at(SteppedClock::START);
        plan.change(Change::Count(Statistics { bytes: -5_000, nodes: -3 }));
        metadata.apply(plan, None).await.unwrap();
        share.damage.nodes.lock().extend([docs, one, two]);
        let share = share.restarted().await;
        let metadata = share.whole().await;
        assert!(metadata.record().await.unwrap().counts_names);
        let counted = metadata.statistics().await.unwrap();
        assert_eq!(counted.nodes, sums.nodes);
        assert!(counted.bytes > 0 && counted.bytes < sums.bytes - 200 * KIB as i64, "{counted:?} of {sums:?}");
        // Once the rows are whole again the sums are counted once more.
        share.damage.repair();
        share.world.close().await;
        assert_eq!(classes_and_paths(&share.checked(REPAIR, false).await), [("statistics", "")]);
        assert_eq!(share.whole().await.statistics().await.unwrap(), sums);
    });
}
