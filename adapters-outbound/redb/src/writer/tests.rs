#![allow(clippy::unwrap_used)]

use std::thread;

use dittofs_domain::{Node, NodeId, NodeKind, ShareId, Timestamp, plan::Change, plan::Plan};
use dittofs_ports::{ApplyError, Counter};
use redb::{Database, StorageBackend, backends::InMemoryBackend};
use tokio::sync::oneshot;

use super::*;
use crate::{
    open::{BackendOpener, Part},
    options::RedbOptions,
};

/// A database on a disk that is almost full.
struct Crowded(BackendOpener<fn(Part) -> std::io::Result<InMemoryBackend>>);

impl Opener for Crowded {
    fn name(&self) -> String {
        self.0.name()
    }

    fn open(&self, again: bool) -> Result<Database, OpenError> {
        self.0.open(again)
    }

    fn options(&self) -> &RedbOptions {
        self.0.options()
    }

    fn log_name(&self) -> String {
        self.0.log_name()
    }

    fn log(&self, again: bool) -> Result<Option<Box<dyn StorageBackend>>, OpenError> {
        self.0.log(again)
    }

    fn set_log_aside(&self) -> Result<(), OpenError> {
        Ok(())
    }

    fn make_log(&self) -> Result<Box<dyn StorageBackend>, OpenError> {
        self.0.make_log()
    }

    fn room(&self) -> u64 {
        ROOM_KEPT - 1
    }
}

fn directory(id: NodeId) -> Node {
    let parent = dittofs_domain::node::Parent { directory: NodeId::ROOT, cookie: dittofs_domain::Cookie::START };
    let time = Timestamp::EPOCH;
    Node::bare(id, NodeKind::Directory, parent, time)
}

#[tokio::test]
async fn on_a_disk_that_is_almost_full_only_what_makes_nodes_is_refused() {
    let (requests, waiting) = mpsc::channel(WAITING_MAX);
    let opener = Crowded(BackendOpener::new(RedbOptions::new(""), |_| Ok(InMemoryBackend::new())));
    let writer = Writer::open(Box::new(opener), waiting, 1 << 20).unwrap();
    let thread = thread::spawn(|| writer.run());
    let share = ShareId(1);
    let apply = async |change: Change| {
        let (answer, answered) = oneshot::channel();
        let mut plan = Box::new(Plan::at(Timestamp::EPOCH));
        plan.change(change);
        requests.send(Request::Apply { share, plan, op: None, answer }).await.ok().unwrap();
        answered.await.unwrap()
    };
    let grown = apply(Change::InsertNode(Box::new(directory(NodeId(9))))).await;
    assert!(matches!(grown, Err(ApplyError::Full)), "{grown:?}");
    apply(Change::DeleteRow { node: NodeId(9), page: 0 }).await.unwrap();
    let (answer, answered) = oneshot::channel();
    requests.send(Request::Allocate { share, counter: Counter::Ids, count: 1, answer }).await.ok().unwrap();
    answered.await.unwrap().unwrap();
    drop(requests);
    thread.join().unwrap();
}
