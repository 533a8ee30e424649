//! Things of a session by their ids, which are never given twice.

use std::{collections::HashMap, sync::Arc};

/// At most so many.
pub(super) struct Table<T> {
    by_id: HashMap<u64, Arc<T>>,
    max: usize,
    next: u64,
}

impl<T> Table<T> {
    pub(super) fn new(max: usize, first: u64) -> Table<T> {
        Table { by_id: HashMap::new(), max, next: first }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.by_id.len() < self.max
    }

    /// Adds one; none if there are too many.
    pub(super) fn add(&mut self, make: impl FnOnce(u64) -> T) -> Option<Arc<T>> {
        if !self.has_room() {
            return None;
        }
        let id = self.next;
        self.next += 1;
        let added = Arc::new(make(id));
        self.by_id.insert(id, Arc::clone(&added));
        Some(added)
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<T>> {
        self.by_id.get(&id).cloned()
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Arc<T>> {
        self.by_id.remove(&id)
    }

    pub(super) fn take_if(&mut self, mut is_taken: impl FnMut(&T) -> bool) -> Vec<Arc<T>> {
        let taken: Vec<u64> = self.by_id.iter().filter(|(_, held)| is_taken(held)).map(|(id, _)| *id).collect();
        taken.iter().filter_map(|id| self.by_id.remove(id)).collect()
    }
}
