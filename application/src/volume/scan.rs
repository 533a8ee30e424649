//! All nodes of a share, also where rows among them are damaged.

use std::sync::Arc;

use dittofs_domain::{Node, NodeId, content::MapRow, plan::Query};
use dittofs_ports::{MetadataError, ShareMetadata};

/// Nodes after an id, in their order.
#[derive(Debug, Default)]
pub struct NodePage {
    /// The nodes.
    pub nodes: Vec<Arc<Node>>,
    /// Nodes between them, in the order of their ids, whose rows are damaged.
    pub damaged: Vec<NodeId>,
    /// The last id that was looked at; that node may be gone.
    last: Option<NodeId>,
}

impl NodePage {
    /// Where to go on; none if these were the last ones.
    pub fn next(&self) -> Option<NodeId> {
        self.last
    }
}

/// Reads some nodes. Rows that are damaged are named, and keep no other from being read.
///
/// # Errors
/// `Corrupt` only where it is not known which rows are damaged.
pub async fn nodes_after(metadata: &dyn ShareMetadata, after: NodeId, max: usize) -> Result<NodePage, MetadataError> {
    match metadata.nodes(after, max).await {
        Ok(nodes) => {
            let last = nodes.last().map(|node| node.id);
            Ok(NodePage { nodes, damaged: Vec::new(), last })
        }
        Err(MetadataError::Corrupt(_)) => one_by_one(metadata, after, max).await,
        Err(error) => Err(error),
    }
}

async fn one_by_one(metadata: &dyn ShareMetadata, after: NodeId, max: usize) -> Result<NodePage, MetadataError> {
    // Every view has this part. If it is damaged, no node is to blame.
    metadata.view(&Query::default()).await?;
    let ids = metadata.node_ids(after, max).await?;
    let mut page = NodePage { last: ids.last().copied(), ..NodePage::default() };
    for id in ids {
        match metadata.view(&Query::node(id)).await {
            Ok(view) => page.nodes.extend(view.nodes),
            Err(MetadataError::Corrupt(_)) => page.damaged.push(id),
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

pub(super) fn pages_in(row: &MapRow) -> u64 {
    match row {
        MapRow::Page { .. } => 1,
        MapRow::Holes { pages, .. } => (*pages).max(1),
    }
}

#[cfg(test)]
mod tests;
