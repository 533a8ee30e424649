//! The index of folded names: the entries of the share whose folded names are other ones.

use std::collections::BTreeSet;

use dittofs_domain::{
    Cookie, FoldTable, Name, NodeId,
    plan::{Alike, EntryKey, FOLDED_MAX, Folded},
};

use super::state::State;

/// One for the whole share, so that a directory without such names takes nothing for it.
#[derive(Debug)]
pub(super) struct FoldedNames {
    table: FoldTable,
    /// The key that an entry would have under its folded name, and its cookie.
    rows: BTreeSet<(EntryKey, Cookie)>,
}

impl FoldedNames {
    /// Nothing, by a table.
    pub(super) fn new(table: FoldTable) -> FoldedNames {
        FoldedNames { table, rows: BTreeSet::new() }
    }

    /// Notes a new entry.
    pub(super) fn insert(&mut self, key: &EntryKey, cookie: Cookie) {
        if let Some(name) = self.table.fold(&key.name) {
            self.rows.insert((EntryKey { name, ..*key }, cookie));
        }
    }

    /// Forgets an entry.
    pub(super) fn remove(&mut self, key: &EntryKey, cookie: Cookie) {
        if let Some(name) = self.table.fold(&key.name) {
            self.rows.remove(&(EntryKey { name, ..*key }, cookie));
        }
    }

    /// The cookies of entries whose names become this one.
    fn cookies(&self, folded: &EntryKey) -> impl Iterator<Item = Cookie> {
        let bounds = (folded.clone(), Cookie(0))..=(folded.clone(), Cookie(u64::MAX));
        self.rows.range(bounds).map(|(_, cookie)| *cookie)
    }
}

impl State {
    /// Whether no entry has a name that folds as this one.
    pub(super) fn is_folded_absent(&self, key: &EntryKey) -> bool {
        let folded = self.folded_key(key);
        self.entry(&folded).is_none() && self.folded.cookies(&folded).next().is_none()
    }

    /// The entries whose names fold as this one.
    pub(super) fn alike(&self, key: &EntryKey) -> Folded {
        let folded = self.folded_key(key);
        let itself = self.entry(&folded).map(|(node, cookie)| (cookie, folded.name.clone(), node));
        let directory = self.directory(key.directory, key.space);
        let other = |cookie: Cookie| {
            let entry = directory?.at(cookie)?;
            Some((cookie, entry.name.clone(), entry.node))
        };
        let others = self.folded.cookies(&folded).take(FOLDED_MAX).filter_map(other);
        let mut all: Vec<(Cookie, Name, NodeId)> = itself.into_iter().chain(others).collect();
        all.sort_unstable_by_key(|(cookie, ..)| *cookie);
        let found = |(cookie, name, node)| Some(Alike { name, found: self.found_at(node, cookie)? });
        Folded { name: folded.name, entries: all.into_iter().take(FOLDED_MAX).filter_map(found).collect() }
    }

    fn folded_key(&self, key: &EntryKey) -> EntryKey {
        EntryKey { name: self.folded.table.folded(&key.name), ..*key }
    }
}
