//! A part of the cache: rows that were used lately, and older ones.
//!
//! When the younger half is full it becomes the older one, and the older one is dropped: no list is kept up, and
//! eviction costs next to nothing for each row.

use dittofs_domain::content::{Extent, MapRow, ReplayExclusion};
use hashbrown::{HashTable, hash_table::Entry};
use std::sync::Arc;

use super::Row;
use crate::{keys::Key, tables::Kind};

#[derive(Default)]
pub(super) struct Shard {
    young: HashTable<Kept>,
    old: HashTable<Kept>,
    young_bytes: usize,
    young_bytes_max: usize,
}

pub(super) struct Kept {
    hash: u64,
    kind: Kind,
    key: Key,
    row: Row,
}

/// The rows to drop once the lock is free.
pub(super) type Dropped = HashTable<Kept>;

impl Shard {
    pub(super) fn new(bytes: usize) -> Shard {
        Shard { young_bytes_max: bytes / 2, ..Shard::default() }
    }

    /// The row at a key, and whether it is among the younger ones.
    pub(super) fn row(&self, hash: u64, kind: Kind, key: &[u8]) -> Option<(Row, bool)> {
        let is = |kept: &Kept| kept.is(kind, key);
        if let Some(kept) = self.young.find(hash, is) {
            return Some((kept.row.clone(), true));
        }
        Some((self.old.find(hash, is)?.row.clone(), false))
    }

    /// Moves a row to the younger ones. Nothing is dropped for it: the next [`Shard::put`] sees to that.
    pub(super) fn make_young(&mut self, hash: u64, kind: Kind, key: &[u8]) {
        if let Ok(found) = self.old.find_entry(hash, |kept| kept.is(kind, key)) {
            let (kept, _) = found.remove();
            self.young_bytes += kept.bytes();
            self.young.insert_unique(hash, kept, |kept| kept.hash);
        }
    }

    /// Puts a row in place, unless nothing is to be kept at all.
    pub(super) fn put(&mut self, hash: u64, kind: Kind, key: &[u8], row: Row) -> Option<Dropped> {
        if self.young_bytes_max == 0 {
            return None;
        }
        if let Ok(found) = self.old.find_entry(hash, |kept| kept.is(kind, key)) {
            found.remove();
        }
        match self.young.entry(hash, |kept| kept.is(kind, key), |kept| kept.hash) {
            Entry::Occupied(mut found) => {
                let kept = found.get_mut();
                self.young_bytes -= kept.bytes();
                kept.row = row;
                self.young_bytes += kept.bytes();
            }
            Entry::Vacant(place) => {
                let kept = Kept { hash, kind, key: Key::from_slice(key), row };
                self.young_bytes += kept.bytes();
                place.insert(kept);
            }
        }
        (self.young_bytes > self.young_bytes_max).then(|| {
            self.young_bytes = 0;
            std::mem::replace(&mut self.old, std::mem::take(&mut self.young))
        })
    }

    pub(super) fn remove(&mut self, hash: u64, kind: Kind, key: &[u8]) {
        if let Ok(found) = self.young.find_entry(hash, |kept| kept.is(kind, key)) {
            let (kept, _) = found.remove();
            self.young_bytes -= kept.bytes();
        }
        if let Ok(found) = self.old.find_entry(hash, |kept| kept.is(kind, key)) {
            found.remove();
        }
    }

    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_bytes = 0;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

impl Kept {
    fn is(&self, kind: Kind, key: &[u8]) -> bool {
        self.kind == kind && self.key.as_slice() == key
    }

    /// The memory that it takes, about. It must not change while the row is kept.
    fn bytes(&self) -> usize {
        /// The bytes that an allocation takes besides those that were asked for.
        const ALLOCATION: usize = 16;
        let key = if self.key.spilled() { self.key.len() + ALLOCATION } else { 0 };
        let row = match &self.row {
            Row::Node(node) => {
                let target = node.target.as_ref().map_or(0, |target| target.len());
                let acl = node.acl.as_ref().map_or(0, |acl| size_of_val(acl.entries()) + ALLOCATION);
                size_of_val(&**node)
                    + target
                    + acl
                    + node.replay_exclusions.len() * size_of::<ReplayExclusion>()
                    + ALLOCATION
            }
            Row::Map(row) => bytes_of(row) + ALLOCATION,
            Row::Entry(_) | Row::IsEmpty(_) | Row::Topology(_) => 0,
        };
        size_of::<Kept>() * 8 / 7 + key + row
    }
}

fn bytes_of(row: &Arc<MapRow>) -> usize {
    let inline = |extent: &Extent| if let Extent::Inline(bytes) = extent { bytes.len() } else { 0 };
    match &**row {
        MapRow::Page { extents, .. } => extents.iter().map(|extent| size_of_val(extent) + inline(extent)).sum(),
        MapRow::Holes { .. } => size_of::<MapRow>(),
    }
}
