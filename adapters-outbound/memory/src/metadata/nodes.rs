//! The nodes of a share by their ids.
//!
//! Ids are given out in order, so nodes that were made together stand together: a listing that goes from one to the
//! next finds most of them in memory that it has just touched.

use std::sync::Arc;

use dittofs_domain::{Node, NodeId};
use hashbrown::HashTable;

use super::bodies::Body;

/// Consecutive ids of a group. A group costs 512 bytes even if only one of its nodes is left.
const GROUP_IDS: u64 = 32;
/// How many tables of groups: each is small enough that growing it stalls nobody.
const TABLES: usize = 64;

/// A node, and what belongs to it besides its record.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) node: Arc<Node>,
    pub(super) body: Option<Box<Body>>,
}

/// Nodes.
#[derive(Debug)]
pub(super) struct Nodes {
    tables: [HashTable<Group>; TABLES],
    count: usize,
}

#[derive(Debug)]
struct Group {
    number: u64,
    count: u32,
    slots: Box<[Option<Slot>; GROUP_IDS as usize]>,
}

impl Default for Nodes {
    fn default() -> Self {
        Nodes { tables: [const { HashTable::new() }; TABLES], count: 0 }
    }
}

impl Nodes {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn slot(&self, id: NodeId) -> Option<&Slot> {
        let (number, hash) = group(id);
        let group = self.tables[table(hash)].find(hash, |group| group.number == number)?;
        group.slots[place(id)].as_ref()
    }

    pub(super) fn slot_mut(&mut self, id: NodeId) -> Option<&mut Slot> {
        let (number, hash) = group(id);
        let group = self.tables[table(hash)].find_mut(hash, |group| group.number == number)?;
        group.slots[place(id)].as_mut()
    }

    pub(super) fn record(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.slot(id).map(|slot| &slot.node)
    }

    pub(super) fn body(&self, id: NodeId) -> Option<&Body> {
        self.slot(id).and_then(|slot| slot.body.as_deref())
    }

    /// Nodes in the order of their ids. Looks at every group: for checks, not for clients.
    pub(super) fn after(&self, after: NodeId, max: usize) -> Vec<Arc<Node>> {
        let first = after.0 / GROUP_IDS;
        let groups = self.tables.iter().flat_map(|table| table.iter()).filter(|group| group.number >= first);
        let mut groups: Vec<&Group> = groups.collect();
        groups.sort_unstable_by_key(|group| group.number);
        let nodes = groups.into_iter().flat_map(|group| group.slots.iter().flatten());
        nodes.filter(|slot| slot.node.id > after).take(max).map(|slot| Arc::clone(&slot.node)).collect()
    }

    /// Adds a node whose id is not there.
    pub(super) fn insert(&mut self, node: Arc<Node>) {
        let id = node.id;
        let (number, hash) = group(id);
        let same = |group: &Group| group.number == number;
        let found = self.tables[table(hash)].entry(hash, same, |group| self::hash(group.number));
        let mut found = found.or_insert_with(|| Group { number, count: 0, slots: Box::default() });
        let group = found.get_mut();
        if group.slots[place(id)].replace(Slot { node, body: None }).is_none() {
            group.count += 1;
            self.count += 1;
        }
    }

    pub(super) fn remove(&mut self, id: NodeId) -> Option<Slot> {
        let (number, hash) = group(id);
        let mut found = self.tables[table(hash)].find_entry(hash, |group| group.number == number).ok()?;
        let removed = found.get_mut().slots[place(id)].take()?;
        found.get_mut().count -= 1;
        self.count -= 1;
        if found.get().count == 0 {
            found.remove();
        }
        Some(removed)
    }
}

/// The number of an id's group, and its hash.
fn group(id: NodeId) -> (u64, u64) {
    let number = id.0 / GROUP_IDS;
    (number, hash(number))
}

/// An id's place in its group.
fn place(id: NodeId) -> usize {
    (id.0 % GROUP_IDS) as usize
}

/// Ids are our own allocator's, so this needs no secret.
fn hash(number: u64) -> u64 {
    let product = u128::from(number ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15_u128;
    (product >> 64) as u64 ^ product as u64
}

/// From bits of the hash that choose neither bucket nor tag in a table.
fn table(hash: u64) -> usize {
    (hash >> 44) as usize % TABLES
}

#[cfg(test)]
mod tests;
