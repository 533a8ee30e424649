//! Clients whose calls are counted, and all that must be there afterwards.

use std::{collections::BTreeMap, time::Instant};

use dittofs_domain::{
    Cookie, Name, NodeId, NodeKind, OpId,
    plan::{Change, Plan, Query, Space},
};
use dittofs_ports::ApplyError;
use tokio::task::JoinSet;

use crate::fixture::Fixture;

/// All that clients have done.
#[derive(Default)]
pub(crate) struct Done {
    /// Calls, each of which changes the directory once.
    pub(crate) calls: u64,
    /// The files that are left.
    pub(crate) files: BTreeMap<Name, File>,
}

/// A file, and its count of changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    node: NodeId,
    change: u64,
}

/// Sends a call until it is answered, as a server does for its client: asked by its name first.
async fn until_answered(fixture: &Fixture, op: u128, plan: Plan) {
    let op = OpId(op);
    loop {
        let asked = Query::default().asking(Some(op));
        match fixture.share.view(&asked).await {
            Ok(view) if view.earlier.is_some() => return,
            Ok(_) => {}
            Err(_) => continue,
        }
        match fixture.share.apply(plan.clone(), Some(op)).await {
            Ok(_) => return,
            // It may have been applied: the view says.
            Err(ApplyError::Conflict | ApplyError::Unknown(_) | ApplyError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Clients that create files, of which they remove every third one and rename another.
pub(crate) async fn work(fixture: Fixture, directory: NodeId, clients: u64, until: Instant) -> Done {
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            let mut done = Done::default();
            for round in 0.. {
                if Instant::now() >= until {
                    return done;
                }
                done.round(&fixture, directory, client, round).await;
            }
            done
        });
    }
    let mut all = Done::default();
    for done in tasks.join_all().await {
        all.calls += done.calls;
        all.files.extend(done.files);
    }
    all
}

impl Done {
    async fn round(&mut self, fixture: &Fixture, directory: NodeId, client: u64, round: u128) {
        let op = u128::from(client) << 64 | round << 1;
        let text = format!("{client}-{round}");
        let (plan, node) = fixture.addition(directory, &text, NodeKind::File);
        let (cookie, change) = made(&plan);
        until_answered(fixture, op, plan).await;
        self.calls += 1;
        let (name, file) = match round % 3 {
            0 => {
                until_answered(fixture, op | 1, Fixture::removal(directory, &text, node)).await;
                self.calls += 1;
                return;
            }
            1 => {
                let renamed = format!("renamed-{text}");
                let plan = Fixture::renaming(directory, (&text, &renamed), node, cookie);
                until_answered(fixture, op | 1, plan).await;
                self.calls += 1;
                (renamed, File { node, change: change + 1 })
            }
            _ => (text, File { node, change }),
        };
        self.files.insert(Name::new(name.as_bytes()).unwrap(), file);
    }
}

/// The cookie of the entry that a plan makes, and the count of changes of its node.
fn made(plan: &Plan) -> (Cookie, u64) {
    let cookie = plan.changes.iter().find_map(|change| match change {
        Change::InsertEntry { cookie, .. } => Some(*cookie),
        _ => None,
    });
    let change = plan.changes.iter().find_map(|change| match change {
        Change::InsertNode(node) => Some(node.change.0),
        _ => None,
    });
    (cookie.unwrap(), change.unwrap())
}

/// Counts before and after.
pub(crate) struct Counts {
    directory: NodeId,
    change: u64,
    nodes: i64,
}

impl Counts {
    pub(crate) async fn of(fixture: &Fixture, directory: NodeId) -> Counts {
        let change = fixture.view(Query::node(directory)).await.nodes[0].change.0;
        Counts { directory, change, nodes: fixture.share.statistics().await.unwrap().nodes }
    }

    /// As many effects as calls: changes of the directory and of each file, names, nodes, and the sums of the share.
    pub(crate) async fn check(&self, fixture: &Fixture, done: &Done) {
        let after = Counts::of(fixture, self.directory).await;
        assert_eq!(after.change - self.change, done.calls, "changes of the directory, and calls");
        let mut files = BTreeMap::new();
        let mut last = Cookie::START;
        loop {
            let page = fixture.share.list(self.directory, Space::Children, last, 1_000, true).await.unwrap();
            for entry in &page.entries {
                let record = entry.record.as_ref().unwrap();
                assert_eq!(record.id, entry.node);
                let file = File { node: entry.node, change: record.change.0 };
                assert!(files.insert(entry.name.clone(), file).is_none(), "{} is there twice", entry.name);
                last = entry.cookie;
            }
            if page.complete {
                break;
            }
        }
        assert_eq!(files, done.files);
        let nodes = fixture.share.node_ids(NodeId(0), 1_000_000).await.unwrap();
        assert_eq!(nodes.len(), files.len() + 2, "nodes: those, the directory and the root");
        assert_eq!(after.nodes - self.nodes, files.len() as i64, "nodes as the share counts them");
    }
}
