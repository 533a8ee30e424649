//! Opens, locks and caching rights: they end with the process.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use dittofs_domain::{ClientId, NodeId, opens::NodeOpens};
use dittofs_ports::{OpenChange, OpenHint, OpenQuestion, OpenState, OpenStateError};
use parking_lot::Mutex;

/// Maps that share the nodes among them, so that threads seldom meet.
const SHARDS: u64 = 64;
/// Nodes with state, unless another bound is given.
const NODES_MAX: usize = 1 << 20;

/// The state of opens of one share, in memory.
pub struct MemoryOpenState {
    shards: Vec<Mutex<HashMap<NodeId, NodeOpens>>>,
    nodes: AtomicUsize,
    nodes_max: usize,
}

impl Default for MemoryOpenState {
    fn default() -> Self {
        MemoryOpenState::new()
    }
}

impl MemoryOpenState {
    /// State of a million nodes at most.
    pub fn new() -> MemoryOpenState {
        MemoryOpenState::with_capacity(NODES_MAX)
    }

    /// State of so many nodes at most.
    pub fn with_capacity(nodes_max: usize) -> MemoryOpenState {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        MemoryOpenState { shards, nodes: AtomicUsize::new(0), nodes_max }
    }

    fn shard(&self, node: NodeId) -> &Mutex<HashMap<NodeId, NodeOpens>> {
        &self.shards[(node.0 % SHARDS) as usize]
    }

    fn reserve(&self) -> Result<(), OpenStateError> {
        let more = |nodes: usize| nodes.checked_add(1).filter(|nodes| *nodes <= self.nodes_max);
        let reserved = self.nodes.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        reserved.map(|_| ()).map_err(|_| OpenStateError::Full)
    }
}

#[async_trait]
impl OpenState for MemoryOpenState {
    fn is_idle(&self) -> bool {
        self.nodes.load(Ordering::Acquire) == 0
    }

    fn hint<'a>(&'a self, node: NodeId, question: &'a mut (dyn OpenQuestion + 'a)) -> OpenHint {
        if self.is_idle() {
            return OpenHint::Nothing;
        }
        match self.shard(node).lock().get(&node) {
            None => OpenHint::Nothing,
            Some(opens) => {
                question.ask(opens);
                OpenHint::Seen
            }
        }
    }

    async fn is_open(&self, node: NodeId) -> Result<bool, OpenStateError> {
        let mut is_open = false;
        self.hint(node, &mut |opens: &NodeOpens| is_open = opens.is_open());
        Ok(is_open)
    }

    async fn update<'a>(&'a self, node: NodeId, change: &'a mut (dyn OpenChange + 'a)) -> Result<(), OpenStateError> {
        match self.shard(node).lock().entry(node) {
            Entry::Occupied(mut there) => {
                change.change(there.get_mut());
                if there.get().is_empty() {
                    there.remove();
                    self.nodes.fetch_sub(1, Ordering::AcqRel);
                }
            }
            Entry::Vacant(place) => {
                let mut opens = NodeOpens::default();
                change.change(&mut opens);
                if !opens.is_empty() {
                    self.reserve()?;
                    place.insert(opens);
                }
            }
        }
        Ok(())
    }

    async fn nodes_of(&self, client: ClientId) -> Result<Vec<NodeId>, OpenStateError> {
        let mut nodes = Vec::new();
        if self.is_idle() {
            return Ok(nodes);
        }
        for shard in &self.shards {
            let shard = shard.lock();
            nodes.extend(shard.iter().filter(|(_, opens)| opens.involves(client)).map(|(node, _)| *node));
        }
        Ok(nodes)
    }
}

#[cfg(test)]
mod tests;
