//! Opens below directories: a directory is not renamed while something is open below it (MS-FSA, 2.1.5.15.11), as
//! clients reach what they have open by its path again.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use dittofs_domain::{NodeId, ShareId};
use parking_lot::Mutex;

/// How many opens of this protocol each directory has below it. Others rename whatever they like.
#[derive(Debug, Default)]
pub(crate) struct OpensBelow {
    counts: Mutex<HashMap<(ShareId, NodeId), u32>>,
}

/// An open below some directories, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Below {
    opens: Arc<OpensBelow>,
    share: ShareId,
    directories: Box<[NodeId]>,
}

/// Bytes that a directory of an open's path takes: its id, and its count.
const BYTES: usize = 64;

impl Below {
    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.directories.len() * BYTES
    }

    /// Whether the open is below a directory.
    pub(crate) fn is_below(&self, share: ShareId, directory: NodeId) -> bool {
        self.share == share && self.directories.contains(&directory)
    }
}

impl OpensBelow {
    /// Counts an open below the directories of its path.
    pub(crate) fn add(self: &Arc<Self>, share: ShareId, directories: Vec<NodeId>) -> Below {
        let mut counts = self.counts.lock();
        for directory in &directories {
            *counts.entry((share, *directory)).or_default() += 1;
        }
        Below { opens: Arc::clone(self), share, directories: directories.into() }
    }

    /// Whether something is open below a directory.
    pub(crate) fn are_below(&self, share: ShareId, directory: NodeId) -> bool {
        self.counts.lock().contains_key(&(share, directory))
    }
}

impl Drop for Below {
    fn drop(&mut self) {
        let mut counts = self.opens.counts.lock();
        for directory in &self.directories {
            if let Entry::Occupied(mut count) = counts.entry((self.share, *directory)) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
