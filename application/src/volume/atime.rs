//! Access times as `relatime` has them: kept in memory, and written with the node's next change, daily, or at the end. A
//! crash may lose them.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use dittofs_domain::{
    Attributes, NodeId, Timestamp,
    error::FsResult,
    plan::{Change, Expectation, NodeUpdate, Plan, Query, TimeChange},
};
use parking_lot::Mutex;

use super::Volume;
use crate::policy::Atime;

const SHARDS: usize = 64;
/// Nodes of which an access time is kept; with more, those that are there are written first.
const NODES_MAX: usize = 64 << 10;
/// Nodes of one plan.
const NODES_PER_PLAN: usize = 256;
/// An access time that is this old is advanced even if nothing has changed since, and what is kept is written so often.
const DAY: Duration = Duration::from_hours(24);

/// Access times that are not stored yet.
#[derive(Debug)]
pub(super) struct AccessTimes {
    shards: Vec<Mutex<HashMap<NodeId, Timestamp>>>,
    nodes: AtomicUsize,
    /// When they were written, on the monotonic clock.
    written: Mutex<Duration>,
}

impl AccessTimes {
    pub(super) fn new() -> AccessTimes {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        AccessTimes { shards, nodes: AtomicUsize::new(0), written: Mutex::default() }
    }

    fn of(&self, node: NodeId) -> Option<Timestamp> {
        if self.nodes.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.shard(node).lock().get(&node).copied()
    }

    fn note(&self, node: NodeId, time: Timestamp) {
        let mut shard = self.shard(node).lock();
        match shard.get_mut(&node) {
            Some(noted) => *noted = time.max(*noted),
            None if self.nodes.load(Ordering::Acquire) >= NODES_MAX => {}
            None => {
                shard.insert(node, time);
                self.nodes.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// Forgets what is not later than this.
    fn forget(&self, node: NodeId, up_to: Timestamp) {
        let mut shard = self.shard(node).lock();
        if shard.get(&node).is_some_and(|noted| *noted <= up_to) {
            shard.remove(&node);
            self.nodes.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// The nodes, in the order of their ids.
    fn nodes(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::new();
        for shard in &self.shards {
            nodes.extend(shard.lock().keys());
        }
        nodes.sort_unstable();
        nodes
    }

    fn shard(&self, node: NodeId) -> &Mutex<HashMap<NodeId, Timestamp>> {
        &self.shards[(node.0 % SHARDS as u64) as usize]
    }
}

/// Whether an access at `now` is noted, as Linux does with `relatime`.
fn is_advanced(attributes: &Attributes, now: Timestamp) -> bool {
    let Attributes { atime, mtime, ctime, .. } = *attributes;
    now > atime && (atime <= mtime || atime <= ctime || now >= atime.plus_ms(DAY.as_millis() as u64))
}

impl Volume {
    /// Notes that what is in a node was read, with the attributes that the reader is shown.
    pub(super) fn accessed(&self, attributes: &Attributes) {
        let reads_only = {
            let policy = self.policy();
            policy.atime == Atime::None || policy.read_only
        };
        if reads_only {
            return;
        }
        let now = self.now();
        if is_advanced(attributes, now) {
            self.access_times.note(attributes.node, now);
        }
    }

    /// Lays the access time that is not stored yet over a node's attributes.
    pub(super) fn with_access_time(&self, mut attributes: Attributes) -> Attributes {
        if let Some(atime) = self.access_times.of(attributes.node) {
            attributes.atime = attributes.atime.max(atime);
        }
        attributes
    }

    /// Has a plan that changes nodes write their access times as well; answers what is known of each once the plan is
    /// applied.
    pub(super) fn add_access_times(&self, plan: &mut Plan) -> Vec<(NodeId, Timestamp)> {
        let mut written = Vec::new();
        if self.access_times.nodes.load(Ordering::Acquire) == 0 {
            return written;
        }
        for change in &mut plan.changes {
            let Change::UpdateNode(node, update) = change else { continue };
            let Some(noted) = self.access_times.of(*node) else { continue };
            if update.atime == TimeChange::Keep {
                update.atime = TimeChange::AtLeast(noted);
            }
            written.push((*node, noted));
        }
        written
    }

    /// Forgets access times that are stored, or in whose place a client has set another.
    pub(super) fn forget_access_times(&self, written: &[(NodeId, Timestamp)]) {
        for (node, noted) in written {
            self.access_times.forget(*node, *noted);
        }
    }

    /// Forgets the access time of a node that is gone.
    pub(super) fn forget_access_time(&self, node: NodeId) {
        if let Some(noted) = self.access_times.of(node) {
            self.access_times.forget(node, noted);
        }
    }

    /// Writes access times where a day has passed or there are many.
    pub(super) async fn write_old_access_times(&self) -> FsResult<()> {
        let nodes = self.access_times.nodes.load(Ordering::Acquire);
        let since = self.machine.clock.monotonic().saturating_sub(*self.access_times.written.lock());
        if nodes > NODES_MAX / 2 || nodes > 0 && since >= DAY { self.write_access_times().await } else { Ok(()) }
    }

    /// Writes all access times, many in a plan.
    pub(super) async fn write_access_times(&self) -> FsResult<()> {
        *self.access_times.written.lock() = self.machine.clock.monotonic();
        for nodes in self.access_times.nodes().chunks(NODES_PER_PLAN) {
            let query = Query { nodes: nodes.iter().copied().collect(), ..Query::default() };
            let settled = self.settle(query, None, |view| {
                let mut plan = Plan::at(self.now());
                for node in &view.nodes {
                    plan.expect(Expectation::Exists(node.id));
                    plan.change(Change::UpdateNode(node.id, NodeUpdate::default()));
                }
                Ok((plan, ()))
            });
            let settled = match settled.await {
                // One of them is damaged: an access time is not worth looking for it.
                Err(error) if Volume::is_of_file(error) => {
                    nodes.iter().for_each(|node| self.forget_access_time(*node));
                    continue;
                }
                settled => settled?,
            };
            // Of the others nothing is left.
            for node in nodes.iter().filter(|node| settled.seen.node(**node).is_err()) {
                self.forget_access_time(*node);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
