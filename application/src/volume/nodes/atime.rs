//! Access times as `relatime` has them: kept in memory, and written with the node's next change, daily, or at the end. A
//! crash may lose them.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use dittofs_domain::{
    Attributes, NodeId, Timestamp,
    plan::{Change, Plan, TimeChange},
};
use parking_lot::Mutex;

use crate::{policy::Atime, volume::nodes::Nodes};

/// Maps that share the nodes among them, so that threads seldom meet.
const SHARDS: usize = 64;
/// Nodes of which an access time is kept; with more, those that are there are written first. A few MiB, and a plan for
/// each 256 when they are written.
const NODES_MAX: usize = 64 << 10;
/// An access time that is this old is advanced even if nothing has changed since, and what is kept is written so often.
const DAY: Duration = Duration::from_hours(24);

/// Access times that are not stored yet.
#[derive(Debug)]
pub(in crate::volume) struct AccessTimes {
    shards: Vec<Mutex<HashMap<NodeId, Timestamp>>>,
    nodes: AtomicUsize,
    /// When they were written, on the monotonic clock.
    written: Mutex<Duration>,
}

impl AccessTimes {
    pub(in crate::volume) fn new() -> AccessTimes {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        AccessTimes { shards, nodes: AtomicUsize::new(0), written: Mutex::default() }
    }

    /// Whether they are to be written: a day has passed, or there are many.
    fn are_due(&self, now: Duration) -> bool {
        let nodes = self.nodes.load(Ordering::Acquire);
        nodes > NODES_MAX / 2 || nodes > 0 && now.saturating_sub(*self.written.lock()) >= DAY
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
        if shard.get(&node).is_some_and(|known| *known <= up_to) {
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

impl Nodes {
    /// Whether access times are to be written.
    pub(in crate::volume) fn are_access_times_due(&self) -> bool {
        self.access_times.are_due(self.share.monotonic())
    }

    /// The nodes whose access times are not stored, which are written now.
    pub(in crate::volume) fn accessed_nodes(&self) -> Vec<NodeId> {
        *self.access_times.written.lock() = self.share.monotonic();
        self.access_times.nodes()
    }

    /// Notes that what is in a node was read, with the attributes that the reader is shown.
    pub(in crate::volume) fn accessed(&self, attributes: &Attributes) {
        let reads_only = {
            let policy = self.share.policy();
            policy.atime == Atime::None || policy.read_only
        };
        if reads_only {
            return;
        }
        let now = self.share.now();
        if is_advanced(attributes, now) {
            self.access_times.note(attributes.node, now);
        }
    }

    /// Lays the access time that is not stored yet over a node's attributes.
    pub(in crate::volume) fn with_access_time(&self, mut attributes: Attributes) -> Attributes {
        if let Some(atime) = self.access_times.of(attributes.node) {
            attributes.atime = attributes.atime.max(atime);
        }
        attributes
    }

    /// Has a plan that changes nodes write their access times as well; answers what is known of each once the plan is
    /// applied.
    pub(in crate::volume) fn add_access_times(&self, plan: &mut Plan) -> Vec<(NodeId, Timestamp)> {
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
    pub(in crate::volume) fn forget_access_times(&self, written: &[(NodeId, Timestamp)]) {
        for (node, noted) in written {
            self.access_times.forget(*node, *noted);
        }
    }

    /// Forgets the access time of a node that is gone.
    pub(in crate::volume) fn forget_access_time(&self, node: NodeId) {
        if let Some(noted) = self.access_times.of(node) {
            self.access_times.forget(node, noted);
        }
    }
}

/// Whether an access at `now` is noted, as Linux does with `relatime`.
fn is_advanced(attributes: &Attributes, now: Timestamp) -> bool {
    let Attributes { atime, mtime, ctime, .. } = *attributes;
    now > atime && (atime <= mtime || atime <= ctime || now >= atime.plus_ms(DAY.as_millis() as u64))
}

#[cfg(test)]
mod tests;
