//! The cache of rows: what is found at one even epoch is of one instant, and what is kept is never older than it.

use std::sync::Arc;

use dittofs_domain::{Cookie, NodeId, ShareId};
use shuttle::{
    sync::{Mutex, RwLock},
    thread,
};

use crate::{
    codec::encode_entry,
    copied, holds, is_broken,
    keys::{self, Key},
    redo::Redo,
    tables::Kind,
};

copied!(cache);
copied!(cache_keeps_old_rows);
copied!(cache_never_stops);

/// The newest number that the writer gives.
const LAST: u64 = 2;

fn key(number: u64) -> Key {
    keys::node(ShareId(1), NodeId(number))
}

/// A transaction that gives both rows this number.
fn both(number: u64) -> Redo {
    let mut redo = Redo::default();
    for row in [1, 2] {
        redo.push(Kind::Entry, &key(row), Some(&encode_entry(NodeId(number), Cookie(number))));
    }
    redo
}

/// A writer publishes states in which two rows have the same number. One reader looks both up in the cache, as a view does;
/// another one reads the snapshot of an epoch and keeps what it read.
macro_rules! scenario {
    ($source:ident) => {
        || {
            let cache = Arc::new($source::RowCache::new(1 << 20));
            // The snapshot: its number and its epoch.
            let published = Arc::new(RwLock::new((0u64, 0u64)));
            cache.restart(|epoch| *published.write().unwrap() = (0, epoch));
            let seen = Arc::new(Mutex::new(Vec::new()));
            let number = |row: Option<$source::Row>| match row {
                Some($source::Row::Entry(Some((node, _)))) => Some(node.0),
                _ => None,
            };
            let writer = {
                let (cache, published) = (Arc::clone(&cache), Arc::clone(&published));
                thread::spawn(move || {
                    for number in 1..=LAST {
                        cache.advance(&both(number), &[], |epoch| *published.write().unwrap() = (number, epoch));
                    }
                })
            };
            let viewer = {
                let (cache, seen) = (Arc::clone(&cache), Arc::clone(&seen));
                thread::spawn(move || {
                    for _ in 0..2 {
                        if let Some(epoch) = cache.epoch() {
                            let rows = [1, 2].map(|row| number(cache.row(Kind::Entry, &key(row))));
                            if let ([Some(one), Some(two)], true) = (rows, cache.is_at(epoch)) {
                                seen.lock().unwrap().push((one, two));
                            }
                        }
                    }
                })
            };
            let keeper = {
                let (cache, published) = (Arc::clone(&cache), Arc::clone(&published));
                thread::spawn(move || {
                    let (number, epoch) = *published.read().unwrap();
                    for row in [1, 2] {
                        let found = $source::Row::Entry(Some((NodeId(number), Cookie(number))));
                        cache.keep(epoch, Kind::Entry, &key(row), found);
                    }
                })
            };
            for worker in [writer, viewer, keeper] {
                worker.join().unwrap();
            }
            for (one, two) in seen.lock().unwrap().iter() {
                assert_eq!(one, two, "rows of two instants were taken for one");
            }
            for row in [1, 2] {
                let kept = number(cache.row(Kind::Entry, &key(row)));
                assert!(kept.is_none_or(|kept| kept == LAST), "a row of an older state is kept: {kept:?}");
            }
        }
    };
}

#[test]
fn what_is_found_at_one_epoch_is_of_one_instant() {
    holds(scenario!(cache));
}

#[test]
fn a_row_that_is_kept_though_it_is_old_is_found() {
    is_broken(scenario!(cache_keeps_old_rows));
}

#[test]
fn a_cache_that_is_used_while_it_changes_is_found() {
    is_broken(scenario!(cache_never_stops));
}
