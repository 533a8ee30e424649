//! A map in the order of its keys that costs little while it is small: most directories have few entries, most files
//! one row.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    slice,
};

/// How many elements are kept in a sorted vector before a tree takes over.
const FEW_MAX: usize = 12;

/// An ordered map.
#[derive(Debug)]
pub(super) enum Ordered<V> {
    Few(Vec<(u64, V)>),
    Many(BTreeMap<u64, V>),
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Ordered::Few(Vec::new())
    }
}

impl<V> Ordered<V> {
    pub(super) fn len(&self) -> usize {
        match self {
            Ordered::Few(few) => few.len(),
            Ordered::Many(many) => many.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn get(&self, key: u64) -> Option<&V> {
        match self {
            Ordered::Few(few) => few.iter().find(|(at, _)| *at == key).map(|(_, value)| value),
            Ordered::Many(many) => many.get(&key),
        }
    }

    /// Puts a value in the place of the one with the same key, which it returns.
    pub(super) fn insert(&mut self, key: u64, value: V) -> Option<V> {
        if let Ordered::Few(few) = self {
            match few.binary_search_by_key(&key, |(at, _)| *at) {
                Ok(index) => return few.get_mut(index).map(|slot| std::mem::replace(&mut slot.1, value)),
                Err(index) if few.len() < FEW_MAX => {
                    few.reserve_exact(if few.is_empty() { 1 } else { few.len().min(FEW_MAX - few.len()) });
                    few.insert(index, (key, value));
                    return None;
                }
                Err(_) => *self = Ordered::Many(std::mem::take(few).into_iter().collect()),
            }
        }
        match self {
            Ordered::Many(many) => many.insert(key, value),
            Ordered::Few(_) => None,
        }
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<V> {
        match self {
            Ordered::Few(few) => {
                let index = few.binary_search_by_key(&key, |(at, _)| *at).ok()?;
                Some(few.remove(index).1)
            }
            Ordered::Many(many) => {
                let removed = many.remove(&key);
                if many.is_empty() {
                    *self = Ordered::default();
                }
                removed
            }
        }
    }

    /// The element with the greatest key at or below `key`.
    pub(super) fn floor(&self, key: u64) -> Option<(u64, &V)> {
        match self {
            Ordered::Few(few) => few.iter().rev().find(|(at, _)| *at <= key).map(|(at, value)| (*at, value)),
            Ordered::Many(many) => many.range(..=key).next_back().map(|(at, value)| (*at, value)),
        }
    }

    /// Elements whose keys are at or above `from`.
    pub(super) fn from(&self, from: u64) -> From<'_, V> {
        match self {
            Ordered::Few(few) => {
                let start = few.partition_point(|(at, _)| *at < from);
                From::Few(few.get(start..).unwrap_or_default().iter())
            }
            Ordered::Many(many) => From::Many(many.range((Bound::Included(from), Bound::Unbounded))),
        }
    }
}

/// See [`Ordered::from`].
pub(super) enum From<'a, V> {
    Few(slice::Iter<'a, (u64, V)>),
    Many(btree_map::Range<'a, u64, V>),
}

impl<'a, V> Iterator for From<'a, V> {
    type Item = (u64, &'a V);

    fn next(&mut self) -> Option<(u64, &'a V)> {
        match self {
            From::Few(few) => few.next().map(|(at, value)| (*at, value)),
            From::Many(many) => many.next().map(|(at, value)| (*at, value)),
        }
    }
}
