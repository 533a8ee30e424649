//! Which nodes are flushed now.

use std::cmp::Reverse;

use crate::{id::NodeId, scale::Scale};

/// Limits and targets of flushing. No configuration changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long an acknowledged byte may be only in the journal, but for [`Policy::scattered_age_ms_max`].
    pub age_ms_max: u64,
    /// The same for a node whose slices are small and which is still written to. The longer the slices collect, the
    /// fewer stored bytes a flush writes again next to them.
    pub scattered_age_ms_max: u64,
    /// A node that nobody has written to for so long is not being written to.
    pub idle_ms_min: u64,
    /// Share of the journal or the memory, in thousandths, above which flushing goes on whatever the age.
    pub pressure_permille: u64,
    /// Share, in thousandths, down to which it then goes on.
    pub relief_permille: u64,
    /// Share, in thousandths, up to which the journal and the memory take what is being written at the speed of the
    /// journal alone: a burst has the disk for itself, and is flushed when it is over.
    pub burst_permille: u64,
    /// Bytes that are worth an object of their own: a node that has them is flushed before its time.
    pub object_bytes_min: u64,
    /// Bytes that its slices must have on average for that. With scattered slices, a flush writes many stored bytes
    /// again next to them. The more slices have collected, the fewer.
    pub slice_bytes_min: u64,
    /// The greatest object.
    pub object_bytes_max: u64,
    /// The most blocks in one object, so that the plans which install them stay bounded.
    pub object_blocks_max: usize,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::of(&Scale::PRODUCTION)
    }
}

impl Policy {
    /// The usual one for shares of a scale.
    pub fn of(scale: &Scale) -> Policy {
        Policy {
            age_ms_max: 5_000,
            scattered_age_ms_max: 30_000,
            idle_ms_min: 500,
            pressure_permille: 500,
            relief_permille: 250,
            burst_permille: 400,
            // A quarter of an object is worth its requests: 16 MiB in production.
            object_bytes_min: scale.object_bytes / 4,
            // 32 KiB in production: below, a flush writes more bytes again next to the slices than the slices have.
            slice_bytes_min: scale.page() / 32,
            object_bytes_max: scale.object_bytes,
            object_blocks_max: scale.object_blocks as usize,
        }
    }
}

/// The facts about a node with unflushed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The node.
    pub node: NodeId,
    /// Its unflushed bytes.
    pub bytes: u64,
    /// Its slices.
    pub slices: usize,
    /// Age of its oldest record.
    pub age_ms: u64,
    /// Age of its newest record.
    pub idle_ms: u64,
    /// Whether somebody waits for it: a commit at tier `remote`, a truncation that must reap first, another instance.
    pub waited_for: bool,
}

/// How much of something is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes used.
    pub used: u64,
    /// Bytes that there are; 0: not limited.
    pub limit: u64,
}

impl Usage {
    fn is_above(self, permille: u64) -> bool {
        self.limit > 0 && u128::from(self.used) * 1_000 > u128::from(self.limit) * u128::from(permille)
    }

    /// Bytes to free until only so many thousandths are used.
    fn excess(self, permille: u64) -> u64 {
        let target = u128::from(self.limit) * u128::from(permille) / 1_000;
        self.used.saturating_sub(u64::try_from(target).unwrap_or(u64::MAX))
    }
}

/// The facts about a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ShareFacts {
    /// Its journal, with what is dead in it.
    pub journal: Usage,
    /// Memory for unflushed bytes and their index.
    pub memory: Usage,
}

/// Why a node is flushed now; the greater one goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// It has enough for an object.
    Full,
    /// Its oldest record has come of age.
    Age,
    /// Journal or memory run short.
    Pressure,
    /// Somebody waits for it.
    Wait,
}

/// A node to flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Why.
    pub urgency: Urgency,
    /// Its unflushed bytes.
    pub bytes: u64,
}

impl Policy {
    /// The nodes to flush now, the most urgent first; of equals the oldest first.
    ///
    /// When the journal runs short, the oldest nodes are taken, because a journal is freed from its start: one old
    /// record that is left behind would keep all that follow. When memory runs short, the largest ones are. In both
    /// cases only as many as bring the usage down to `relief_permille`.
    pub fn candidates(&self, nodes: &[NodeFacts], share: &ShareFacts) -> Vec<Candidate> {
        let mut nodes: Vec<NodeFacts> = nodes.iter().filter(|node| node.slices > 0).copied().collect();
        let mut under_pressure = Vec::new();
        nodes.sort_by_key(|node| Reverse(node.bytes));
        self.relieve(&nodes, share.memory, &mut under_pressure);
        nodes.sort_by_key(|node| Reverse(node.age_ms));
        self.relieve(&nodes, share.journal, &mut under_pressure);
        under_pressure.sort_unstable();
        let in_burst = !share.journal.is_above(self.burst_permille) && !share.memory.is_above(self.burst_permille);
        let mut out: Vec<Candidate> = nodes
            .iter()
            .filter_map(|node| {
                let pressed = under_pressure.binary_search(&node.node).is_ok();
                let urgency = self.urgency(node, pressed, in_burst)?;
                Some(Candidate { node: node.node, urgency, bytes: node.bytes })
            })
            .collect();
        out.sort_by_key(|candidate| Reverse(candidate.urgency));
        out
    }

    fn urgency(&self, node: &NodeFacts, pressed: bool, in_burst: bool) -> Option<Urgency> {
        let is_full = node.bytes >= self.object_bytes_min && !self.is_scattered(node);
        match node {
            _ if node.waited_for => Some(Urgency::Wait),
            _ if pressed => Some(Urgency::Pressure),
            _ if node.age_ms >= self.age_max(node) => Some(Urgency::Age),
            _ if is_full && !(in_burst && self.is_written(node)) => Some(Urgency::Full),
            _ => None,
        }
    }

    fn age_max(&self, node: &NodeFacts) -> u64 {
        if self.is_scattered(node) && self.is_written(node) { self.scattered_age_ms_max } else { self.age_ms_max }
    }

    fn is_scattered(&self, node: &NodeFacts) -> bool {
        node.bytes / (node.slices as u64).max(1) < self.slice_bytes_min
    }

    fn is_written(&self, node: &NodeFacts) -> bool {
        node.idle_ms < self.idle_ms_min
    }

    fn relieve(&self, nodes: &[NodeFacts], usage: Usage, taken: &mut Vec<NodeId>) {
        if !usage.is_above(self.pressure_permille) {
            return;
        }
        let excess = usage.excess(self.relief_permille);
        let mut freed = 0u64;
        for node in nodes {
            if freed >= excess {
                break;
            }
            freed = freed.saturating_add(node.bytes);
            taken.push(node.node);
        }
    }
}

#[cfg(test)]
mod tests;
