//! The entries that lead to some nodes, counted so that the count holds although the share is used.
//!
//! Whoever gives a node a name, takes one away or moves one raises the node's `change`. So what was counted of a node
//! between two looks at it that show the same `change` is what there was all that time.

use std::{collections::HashMap, sync::Arc};

use dittofs_domain::{
    Cookie, Node, NodeId, NodeKind,
    check::{Counted, judge_names},
    error::FsResult,
    node::NodeFlags,
    plan::{Query, Space},
};

use super::{
    Checker, LOOKS_MAX, PAGE, Subject, metadata_failed,
    names::{Entries, seen},
};
use crate::volume::scan::nodes_after;

/// Nodes that are looked at in one view: a turn of the store, with little memory.
const NODES_PER_VIEW: usize = 256;
/// Entries of one node that are kept; more are only counted. Enough to name where the surplus is.
const ENTRIES_KEPT: usize = 16;

struct Candidate {
    node: Arc<Node>,
    counted: Counted,
}

impl Checker<'_> {
    /// Counts the entries of suspicious nodes again, and reports what is wrong with them.
    pub(super) async fn recount(&mut self, candidates: Vec<NodeId>) -> FsResult<()> {
        let mut left = candidates;
        for _ in 0..LOOKS_MAX {
            if left.is_empty() {
                return Ok(());
            }
            let mut seen = self.subject.look_at(&left).await?;
            self.subject.count_entries(&mut seen).await?;
            let now = self.subject.look_at(&left).await?;
            left = Vec::new();
            let mut judged: Vec<(NodeId, Candidate)> = seen.into_iter().collect();
            judged.sort_by_key(|(id, _)| *id);
            for (id, candidate) in judged {
                match now.get(&id) {
                    None => {}
                    Some(now) if now.node.change != candidate.node.change => left.push(id),
                    Some(_) => {
                        for finding in judge_names(&candidate.node, &candidate.counted) {
                            self.outcome.find(finding);
                        }
                    }
                }
            }
        }
        self.outcome.undecided += left.len() as u64;
        Ok(())
    }
}

impl Subject<'_> {
    async fn look_at(&self, nodes: &[NodeId]) -> FsResult<HashMap<NodeId, Candidate>> {
        let mut seen = HashMap::with_capacity(nodes.len());
        for some in nodes.chunks(NODES_PER_VIEW) {
            let query = Query { nodes: some.iter().copied().collect(), ..Query::default() };
            let mut nodes = Vec::with_capacity(some.len());
            match self.try_view(&query).await? {
                Some(view) => nodes.extend(view.nodes),
                None => {
                    for node in some {
                        nodes.extend(self.node(*node).await?.whole());
                    }
                }
            }
            let candidate = |node: Arc<Node>| (node.id, Candidate { node, counted: Counted::default() });
            seen.extend(nodes.into_iter().map(candidate));
        }
        Ok(seen)
    }

    /// Goes through all directories that there are now.
    async fn count_entries(&self, seen: &mut HashMap<NodeId, Candidate>) -> FsResult<()> {
        let mut after = NodeId(0);
        loop {
            let page = nodes_after(&*self.metadata, after, PAGE).await.map_err(|error| metadata_failed(&error))?;
            let Some(last) = page.next() else { return Ok(()) };
            after = last;
            for damaged in &page.damaged {
                self.count_in(*damaged, Space::Children, seen).await?;
                self.count_in(*damaged, Space::Streams, seen).await?;
            }
            for node in &page.nodes {
                if node.kind == NodeKind::Directory {
                    self.count_in(node.id, Space::Children, seen).await?;
                }
                if node.flags.contains(NodeFlags::STREAMS) {
                    self.count_in(node.id, Space::Streams, seen).await?;
                }
            }
        }
    }

    async fn count_in(
        &self,
        directory: NodeId,
        space: Space,
        candidates: &mut HashMap<NodeId, Candidate>,
    ) -> FsResult<()> {
        let mut after = Cookie::START;
        loop {
            let Entries { listed, next, .. } = self.entries(directory, space, after, false).await?;
            for listed in &listed {
                let Some(candidate) = candidates.get_mut(&listed.node) else { continue };
                candidate.counted.count += 1;
                if candidate.counted.entries.len() < ENTRIES_KEPT {
                    candidate.counted.entries.push(seen(directory, space, listed));
                }
            }
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }
}
