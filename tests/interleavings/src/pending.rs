//! Unflushed bytes: a reader that looks into the stored record and into the index sees a byte in the one or in the
//! other, or must look again.

use std::sync::Arc;

use dittofs_domain::{ChangeId, Cookie, Node, NodeId, NodeKind, Sequence, Timestamp, content::Place, node::Parent};
use dittofs_ports::Appended;
use shuttle::{sync::Mutex, thread};

use crate::{admission::Credits, copied, holds, is_broken};

copied!(pending);
copied!(pending_changes_unseen);
copied!(pending_taken_twice);
copied!(pending_always_stable);

/// The neighbours that the copied sources call by name.
mod ledger {
    /// Counts nothing: the order of steps does not depend on a quota.
    #[derive(Debug)]
    pub(crate) struct Claim;

    impl Claim {
        pub(crate) fn nothing(&self) -> Claim {
            Claim
        }

        pub(crate) fn join(&mut self, _other: Claim) {}

        pub(crate) fn shrink_to(&mut self, _bytes: u64) {}

        pub(crate) fn set(&mut self, _bytes: u64) {}
    }
}

/// That nobody else changes a node meanwhile is the scenarios' own matter.
mod node_locks {
    use dittofs_domain::NodeId;

    pub(crate) struct NodeLock<'l>(pub(crate) NodeId, pub(crate) std::marker::PhantomData<&'l ()>);

    impl NodeLock<'_> {
        pub(crate) fn node(&self) -> NodeId {
            self.0
        }
    }
}

fn lock(node: NodeId) -> node_locks::NodeLock<'static> {
    node_locks::NodeLock(node, std::marker::PhantomData)
}

const FILE: NodeId = NodeId(5);
/// In another part of the table of nodes.
const OTHER: NodeId = NodeId(6);
const BYTES: u32 = 100;
const RECORD: Sequence = Sequence(1);

fn stored(id: NodeId) -> Node {
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(9) };
    Node::bare(id, NodeKind::File, parent, Timestamp::EPOCH)
}

/// A write of some bytes of a node.
macro_rules! write {
    ($source:ident, $index:expr, $id:expr) => {{
        let appended = Appended { sequence: RECORD, place: Place::default() };
        let (stamp, time) = (ChangeId(9), Timestamp::EPOCH);
        let at = std::time::Duration::ZERO;
        let written = $source::Written {
            offset: 0,
            length: BYTES,
            appended,
            credits: Credits,
            claim: ledger::Claim,
            time,
            stamp,
            at,
        };
        $index.write(&lock($id), &stored($id), written);
    }};
}

/// A flush publishes the bytes of a file and takes them out of its index, while a reader lays the one over the other.
macro_rules! flush {
    ($source:ident) => {
        || {
            let index = Arc::new($source::PendingNodes::new(ledger::Claim));
            write!($source, index, FILE);
            let is_published = Arc::new(Mutex::new(false));
            let flush = {
                let (index, is_published) = (Arc::clone(&index), Arc::clone(&is_published));
                thread::spawn(move || {
                    let guard = index.write_guard(&lock(FILE));
                    *is_published.lock().unwrap() = true;
                    index.flushed(&lock(FILE), &[0..u64::from(BYTES)], RECORD, RECORD);
                    drop(guard);
                })
            };
            let reader = {
                let (index, is_published) = (Arc::clone(&index), Arc::clone(&is_published));
                thread::spawn(move || {
                    let version = index.version();
                    let stored = *is_published.lock().unwrap();
                    if let Some(shown) = index.unchanged_since(FILE, version) {
                        let unflushed = shown.is_some_and(|shown| shown.bytes > 0);
                        assert!(stored || unflushed, "the bytes are in neither");
                    }
                })
            };
            flush.join().unwrap();
            reader.join().unwrap();
            assert!(!index.has(FILE) && index.bytes() == 0);
        }
    };
}

/// A truncation changes the stored map and the index together, while a reader of the bytes looks into both.
macro_rules! truncation {
    ($source:ident) => {
        || {
            let index = Arc::new($source::PendingNodes::new(ledger::Claim));
            write!($source, index, FILE);
            let is_truncated = Arc::new(Mutex::new(false));
            let truncation = {
                let (index, is_truncated) = (Arc::clone(&index), Arc::clone(&is_truncated));
                thread::spawn(move || {
                    let guard = index.write_guard(&lock(FILE));
                    *is_truncated.lock().unwrap() = true;
                    index.truncate(&lock(FILE), 0);
                    drop(guard);
                })
            };
            let reader = {
                let (index, is_truncated) = (Arc::clone(&index), Arc::clone(&is_truncated));
                thread::spawn(move || {
                    let Some(found) = index.find(FILE) else { return };
                    let (generation, has_bytes) = {
                        let found = found.lock();
                        (found.generation, !found.slices.is_empty())
                    };
                    if !generation.is_multiple_of(2) {
                        return;
                    }
                    let is_truncated = *is_truncated.lock().unwrap();
                    if index.is_at(FILE, Some(generation), None) {
                        assert!(!(has_bytes && is_truncated), "bytes of before the truncation over a map of after it");
                    }
                })
            };
            truncation.join().unwrap();
            reader.join().unwrap();
        }
    };
}

/// Two take the same node out of the index, while another node is in it.
macro_rules! taken {
    ($source:ident) => {
        || {
            let index = Arc::new($source::PendingNodes::new(ledger::Claim));
            write!($source, index, FILE);
            let take = || {
                let index = Arc::clone(&index);
                thread::spawn(move || index.take(FILE).len())
            };
            let write = {
                let index = Arc::clone(&index);
                thread::spawn(move || {
                    write!($source, index, OTHER);
                    // From now on everybody must find it.
                    assert!(index.has(OTHER), "a node with unflushed bytes is not found");
                    0
                })
            };
            let taken: usize = [take(), take(), write].into_iter().map(|worker| worker.join().unwrap()).sum();
            assert_eq!(taken, 1, "the record is given up once");
            assert!(index.has(OTHER) && !index.has(FILE), "the node is counted");
        }
    };
}

#[test]
fn bytes_that_a_flush_moves_are_seen_in_the_one_place_or_the_other() {
    holds(flush!(pending));
}

#[test]
fn a_move_that_no_reader_sees_is_found() {
    is_broken(flush!(pending_changes_unseen));
}

#[test]
fn a_map_and_an_index_of_two_instants_are_never_taken_together() {
    holds(truncation!(pending));
}

#[test]
fn an_index_that_looks_stable_while_it_changes_is_found() {
    is_broken(truncation!(pending_always_stable));
}

#[test]
fn a_node_is_found_from_its_first_write_on() {
    holds(taken!(pending));
}

#[test]
fn nodes_that_are_counted_wrongly_are_found() {
    is_broken(taken!(pending_taken_twice));
}
