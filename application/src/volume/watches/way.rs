//! The way from a directory up to those who watch the trees that it is in.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, Name, Node, NodeId,
    error::{FsError, FsResult},
    node::Parent,
    plan::{Query, Space},
    watch::Subject,
};

use super::Watches;

/// How often the way is looked for that a rename changes meanwhile.
const ATTEMPTS: u32 = 3;
/// No path that people use is deeper. Each step costs a question.
const DEPTH_MAX: usize = 128;

/// A way up, as far as somebody watches.
pub(super) struct Way {
    /// The directory from which it goes up.
    pub(super) from: NodeId,
    pub(super) steps: Vec<Step>,
}

/// From a directory to the one above it.
pub(super) struct Step {
    /// The directory: who may see in it.
    pub(super) directory: Arc<Node>,
    /// Its name in the one above.
    pub(super) name: Name,
    pub(super) above: NodeId,
    /// That one.
    pub(super) above_node: Arc<Node>,
}

impl Watches {
    /// The way from a directory to the topmost one whose tree is watched.
    ///
    /// # Errors
    /// `Busy` where directories are renamed all the time, `TooLarge` where it is too deep, and those of the store.
    pub(super) async fn way_up(&self, from: NodeId) -> FsResult<Way> {
        for _ in 0..ATTEMPTS {
            let query = Query { ancestors_of: Some(from), ..Query::default() };
            let ancestors = self.nodes.view(&query).await?.view.ancestors;
            let above = ancestors.get(1..).unwrap_or_default();
            let length = self.table.topmost_tree(above).map_or(0, |topmost| topmost + 1);
            if length > DEPTH_MAX {
                return Err(FsError::TooLarge);
            }
            let below = ancestors.iter().zip(above).take(length);
            if let Some(steps) = self.steps(below.map(|(directory, above)| (*directory, *above)).collect()).await? {
                return Ok(Way { from, steps });
            }
        }
        Err(FsError::Busy)
    }

    /// The steps between these directories, up to one that has lost its name: nothing above shows what is in it. None if
    /// one of them was moved or removed meanwhile.
    async fn steps(&self, pairs: Vec<(NodeId, NodeId)>) -> FsResult<Option<Vec<Step>>> {
        if pairs.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let topmost = pairs.last().map(|(_, above)| *above);
        let nodes = pairs.iter().map(|(directory, _)| *directory).chain(topmost).collect();
        let query = Query { nodes, ..Query::default() };
        let seen = self.nodes.view(&query).await?;
        let mut steps = Vec::with_capacity(pairs.len());
        for (directory, above) in pairs {
            let (Ok(node), Ok(above_node)) = (seen.node(directory), seen.node(above)) else { return Ok(None) };
            if !node.is_linked() {
                break;
            }
            if node.parent.directory != above {
                return Ok(None);
            }
            let Some(name) = self.name_of(node.parent).await? else { return Ok(None) };
            steps.push(Step { directory: Arc::clone(node), name, above, above_node: Arc::clone(above_node) });
        }
        Ok(Some(steps))
    }

    /// A stream by its name, from its entry in its file; none if it is gone.
    pub(super) async fn stream_name(&self, entry: Parent) -> FsResult<Option<Subject>> {
        let seen = self.nodes.view(&Query::node(entry.directory)).await?;
        let Ok(file) = seen.node(entry.directory) else { return Ok(None) };
        let before = Cookie(entry.cookie.0.saturating_sub(1));
        let listed = self.metadata.list(entry.directory, Space::Streams, before, 1, false).await;
        let listed = listed.map_err(|error| self.share.metadata_failed(&error))?;
        let name = listed.entries.into_iter().find(|listed| listed.cookie == entry.cookie).map(|listed| listed.name);
        Ok(name.map(|name| Subject::StreamName { file: file.parent, name }))
    }

    /// The name of an entry; none if it is not known, or is gone.
    pub(super) async fn name_of(&self, entry: Parent) -> FsResult<Option<Name>> {
        if entry.cookie == Cookie::START {
            return Ok(None);
        }
        let name = self.metadata.name_of(entry.directory, entry.cookie).await;
        name.map_err(|error| self.share.metadata_failed(&error))
    }
}
