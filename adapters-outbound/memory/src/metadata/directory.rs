//! The entries of one directory, or the streams of one node: by cookie for listings, by name for look-ups.

use std::hash::BuildHasher;

use dittofs_domain::{Cookie, Name, NodeId};
use hashbrown::HashTable;

use super::ordered::Ordered;

/// Up to how many entries a look-up compares every name.
const SCAN_MAX: usize = 12;
/// With how many entries an index is given up: lower than the number at which it is made, so that one name that comes
/// and goes does not make it again and again.
const UNINDEX_MAX: usize = 4;
/// Above how many entries an index is split, so that none of its tables takes long to grow.
const SPLIT_ABOVE: usize = 16_384;
/// Tables of a split index. With a million entries each has the size at which one is split.
const SPLIT_TABLES: usize = 64;

/// Where a name leads.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) node: NodeId,
}

/// Entries. The hasher is given with each call: all directories of a share use the same one.
#[derive(Debug, Default)]
pub(super) struct Directory {
    entries: Ordered<Entry>,
    index: Option<Box<Index>>,
}

/// An entry cannot be added: its name or its cookie is taken.
#[derive(Debug)]
pub(super) struct Taken;

impl Directory {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn find<H: BuildHasher>(&self, hasher: &H, name: &Name) -> Option<(NodeId, Cookie)> {
        match &self.index {
            Some(index) => index.find(hasher.hash_one(name), name).map(|found| (found.node, found.cookie)),
            None => self
                .entries
                .from(0)
                .find(|(_, entry)| entry.name == *name)
                .map(|(cookie, entry)| (entry.node, Cookie(cookie))),
        }
    }

    pub(super) fn at(&self, cookie: Cookie) -> Option<&Entry> {
        self.entries.get(cookie.0)
    }

    /// Entries with cookies greater than `after`.
    pub(super) fn after(&self, after: Cookie) -> impl Iterator<Item = (Cookie, &Entry)> {
        let rest = after.0.checked_add(1).map(|from| self.entries.from(from));
        rest.into_iter().flatten().map(|(cookie, entry)| (Cookie(cookie), entry))
    }

    pub(super) fn insert<H: BuildHasher>(
        &mut self,
        hasher: &H,
        name: Name,
        node: NodeId,
        cookie: Cookie,
    ) -> Result<(), Taken> {
        if self.find(hasher, &name).is_some() || self.entries.get(cookie.0).is_some() {
            return Err(Taken);
        }
        if let Some(index) = &mut self.index {
            index.insert(Indexed { hash: hasher.hash_one(&name), cookie, node, name: name.clone() });
        }
        self.entries.insert(cookie.0, Entry { name, node });
        if self.index.is_none() && self.entries.len() > SCAN_MAX {
            let mut index = Box::<Index>::default();
            for (cookie, Entry { name, node }) in self.entries.from(0) {
                let hash = hasher.hash_one(name);
                index.insert(Indexed { hash, cookie: Cookie(cookie), node: *node, name: name.clone() });
            }
            self.index = Some(index);
        }
        Ok(())
    }

    pub(super) fn remove<H: BuildHasher>(&mut self, hasher: &H, name: &Name) -> Option<(NodeId, Cookie)> {
        let (node, cookie) = match &mut self.index {
            Some(index) => index.remove(hasher.hash_one(name), name).map(|found| (found.node, found.cookie))?,
            None => self.find(hasher, name)?,
        };
        self.entries.remove(cookie.0);
        if self.entries.len() <= UNINDEX_MAX {
            self.index = None;
        }
        Some((node, cookie))
    }
}

/// An entry, by its name. The hash is kept, so that growing a table reads no name.
#[derive(Debug)]
struct Indexed {
    hash: u64,
    cookie: Cookie,
    node: NodeId,
    name: Name,
}

#[derive(Debug, Default)]
struct Index {
    whole: HashTable<Indexed>,
    /// Instead of `whole`, once that became too great.
    split: Vec<HashTable<Indexed>>,
}

impl Index {
    fn find(&self, hash: u64, name: &Name) -> Option<&Indexed> {
        let table = self.split.get(part(hash)).unwrap_or(&self.whole);
        table.find(hash, |indexed| indexed.hash == hash && indexed.name == *name)
    }

    fn insert(&mut self, indexed: Indexed) {
        if self.whole.len() > SPLIT_ABOVE {
            self.split.resize_with(SPLIT_TABLES, HashTable::new);
            for indexed in std::mem::take(&mut self.whole) {
                self.add(indexed);
            }
        }
        self.add(indexed);
    }

    fn add(&mut self, indexed: Indexed) {
        self.table(indexed.hash).insert_unique(indexed.hash, indexed, |indexed| indexed.hash);
    }

    fn remove(&mut self, hash: u64, name: &Name) -> Option<Indexed> {
        let found = self.table(hash).find_entry(hash, |indexed| indexed.hash == hash && indexed.name == *name);
        found.ok().map(|occupied| occupied.remove().0)
    }

    fn table(&mut self, hash: u64) -> &mut HashTable<Indexed> {
        self.split.get_mut(part(hash)).unwrap_or(&mut self.whole)
    }
}

/// Which table of a split index: from bits of the hash that choose neither bucket nor tag in it.
fn part(hash: u64) -> usize {
    (hash >> 48) as usize % SPLIT_TABLES
}

#[cfg(test)]
mod tests;
