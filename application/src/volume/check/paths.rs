//! Paths of what was found.

use dittofs_domain::{
    Name, Node, NodeId,
    check::{Finding, NodeTable},
    error::{FsError, FsResult},
};
use dittofs_ports::MetadataError;

use super::{Subject, damaged::NodeRow, metadata_failed};

/// Directories that a path is followed through. A path of PATH_MAX bytes has half as many parts.
const DEPTH_MAX: usize = 4_096;

/// Finds where nodes are.
pub(super) struct Paths<'p> {
    pub(super) subject: &'p Subject<'p>,
    pub(super) nodes: &'p NodeTable,
}

impl Paths<'_> {
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
            let named = match self.subject.node(at).await? {
                _ if parts.len() >= DEPTH_MAX => None,
                NodeRow::Whole(stored) => self.name(&stored).await?,
                NodeRow::Damaged => self.name_met(at).await?,
                NodeRow::Missing => None,
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
        match self.subject.metadata.name_of(directory, node.parent.cookie).await {
            Ok(Some(name)) => Ok(Some((directory, name))),
            Ok(None) | Err(MetadataError::Corrupt(_)) => self.name_met(node.id).await,
            Err(error) => Err(metadata_failed(&error)),
        }
    }

    /// A node's name where the scan met it: all that is known of one whose row is damaged.
    async fn name_met(&self, node: NodeId) -> FsResult<Option<(NodeId, Name)>> {
        let Some(facts) = self.nodes.find(node).filter(|facts| facts.entries > 0) else { return Ok(None) };
        match self.subject.entry_to(facts.found_in, node).await {
            // The listing is damaged, which is reported.
            Err(FsError::Io) => Ok(None),
            entry => Ok(entry?.map(|entry| (facts.found_in, entry.key.name))),
        }
    }
}
