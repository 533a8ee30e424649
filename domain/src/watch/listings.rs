//! The directories whose listings a change alters: who caches one of them has to hear of it (MS-FSA, 2.1.4.12, for the
//! oplock of the directory above what is changed).

use smallvec::SmallVec;

use super::PlannedChanges;
use crate::{
    id::NodeId,
    node::{Node, NodeKind},
    plan::Applied,
};

/// Directories that list something else now: other names, or other sizes, times or attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listings {
    /// These, each once.
    Of(SmallVec<[NodeId; 2]>),
    /// It is not known which.
    Any,
}

impl Listings {
    /// No directory.
    pub fn none() -> Listings {
        Listings::Of(SmallVec::new())
    }

    /// Those that list a node whose size, times or attributes have changed. A stream is in no listing. A file with
    /// several names knows but the newest of them, and not even one if that is gone: whoever asks has to look whether
    /// it is there.
    pub fn of_node(node: &Node) -> Listings {
        match node.kind {
            NodeKind::Stream => Listings::none(),
            NodeKind::Directory => Listings::one(node.parent.directory),
            _ if node.links > 1 => Listings::Any,
            _ => Listings::one(node.parent.directory),
        }
    }

    /// Adds others.
    pub fn add(&mut self, others: Listings) {
        match (self, others) {
            (Listings::Any, _) => {}
            (all, Listings::Any) => *all = Listings::Any,
            (Listings::Of(all), Listings::Of(others)) => {
                for directory in others {
                    if !all.contains(&directory) {
                        all.push(directory);
                    }
                }
            }
        }
    }

    fn one(directory: NodeId) -> Listings {
        Listings::Of([directory].into_iter().collect())
    }
}

impl PlannedChanges {
    /// The directories whose names change. The times that a directory itself gets with them alter no listing: no client
    /// expects to hear of these.
    pub fn listings(&self) -> Listings {
        let mut all = Listings::none();
        for (key, _) in self.removed.iter().chain(&self.added) {
            all.add(Listings::one(key.directory));
        }
        all
    }

    /// The nodes that are listed with other attributes than before, as they are once the plan was applied.
    pub fn modified<'p>(&'p self, applied: &'p Applied) -> impl Iterator<Item = &'p Node> + 'p {
        self.modified.iter().filter_map(|(node, _)| applied.node(*node)?.after.as_deref())
    }
}
