//! All nodes of a share, also where a row among them is damaged.

use std::sync::Arc;

use dittofs_domain::{Node, NodeId};
use dittofs_ports::{MetadataError, ShareMetadata};

/// Nodes after an id, in their order.
#[derive(Debug, Default)]
pub struct NodePage {
    /// The nodes.
    pub nodes: Vec<Arc<Node>>,
    /// A node that comes behind them, whose row is damaged.
    pub damaged: Option<NodeId>,
}

impl NodePage {
    /// Where to go on; none if these were the last ones.
    pub fn next(&self) -> Option<NodeId> {
        self.damaged.or_else(|| self.nodes.last().map(|node| node.id))
    }
}

/// Reads some nodes. One row that is damaged ends the page, and no more: a scan goes on behind it. Of several damaged ones
/// without a whole one between them only the last is named.
///
/// # Errors
/// `Corrupt` only where it can't be told which row is damaged.
pub async fn nodes_after(metadata: &dyn ShareMetadata, after: NodeId, max: usize) -> Result<NodePage, MetadataError> {
    let mut max = max;
    loop {
        match metadata.nodes(after, max).await {
            Ok(nodes) => return Ok(NodePage { nodes, damaged: None }),
            Err(MetadataError::Corrupt(_)) if max > 1 => max /= 2,
            Err(MetadataError::Corrupt(error)) => {
                let damaged = damaged_after(metadata, after).await?.ok_or(MetadataError::Corrupt(error))?;
                return Ok(NodePage { nodes: Vec::new(), damaged: Some(damaged) });
            }
            Err(error) => return Err(error),
        }
    }
}

/// The id of the damaged row that comes first after an id: what is read from before it fails, from behind it not.
async fn damaged_after(metadata: &dyn ShareMetadata, after: NodeId) -> Result<Option<NodeId>, MetadataError> {
    let (mut fails, mut step) = (after.0, 1u64);
    let mut passes = loop {
        let at = fails.saturating_add(step).min(NodeId::MAX.0);
        match is_damaged(metadata, NodeId(at)).await? {
            false => break at,
            true if at == NodeId::MAX.0 => return Ok(None),
            true => (fails, step) = (at, step.saturating_mul(2)),
        }
    };
    while passes - fails > 1 {
        let middle = fails + (passes - fails) / 2;
        match is_damaged(metadata, NodeId(middle)).await? {
            true => fails = middle,
            false => passes = middle,
        }
    }
    Ok(Some(NodeId(passes)))
}

async fn is_damaged(metadata: &dyn ShareMetadata, after: NodeId) -> Result<bool, MetadataError> {
    match metadata.nodes(after, 1).await {
        Ok(_) => Ok(false),
        Err(MetadataError::Corrupt(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
