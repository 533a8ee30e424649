//! Paths of what was found.

use dittofs_domain::{Name, Node, NodeId, check::Finding, error::FsResult};

use super::{Checker, metadata_failed};

/// Directories that a path is followed through.
const DEPTH_MAX: usize = 4_096;

impl Checker<'_> {
    /// Where a finding is, if it is anywhere.
    pub(super) async fn path_of(&self, finding: &Finding) -> FsResult<Option<String>> {
        let Some((node, name)) = finding.place() else { return Ok(None) };
        let mut path = self.path(node).await?;
        if let Some(name) = name {
            if !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(&name.to_string());
        }
        Ok(Some(path))
    }

    async fn path(&self, node: NodeId) -> FsResult<String> {
        let mut parts: Vec<String> = Vec::new();
        let mut at = node;
        while at != NodeId::ROOT {
            let named = match self.node(at).await? {
                Some(stored) if parts.len() < DEPTH_MAX => self.name(&stored).await?,
                _ => None,
            };
            let Some((directory, name)) = named else {
                parts.push(format!("#{at}"));
                parts.reverse();
                return Ok(parts.join("/"));
            };
            parts.push(name.to_string());
            at = directory;
        }
        parts.reverse();
        Ok(format!("/{}", parts.join("/")))
    }

    /// A node's name, by what the node says or by where the scan met it.
    async fn name(&self, node: &Node) -> FsResult<Option<(NodeId, Name)>> {
        let directory = node.parent.directory;
        let name = self.metadata.name_of(directory, node.parent.cookie).await;
        if let Some(name) = name.map_err(|error| metadata_failed(&error))? {
            return Ok(Some((directory, name)));
        }
        let Some(facts) = self.nodes.find(node.id).filter(|facts| facts.entries > 0) else { return Ok(None) };
        let entry = self.entry_to(facts.found_in, node.id).await?;
        Ok(entry.map(|entry| (facts.found_in, entry.key.name)))
    }
}
