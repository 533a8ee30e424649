//! Names of nodes, for messages.

use dittofs_domain::{Cookie, NodeId, plan::Query};
use dittofs_ports::ShareMetadata;

/// No path that people use is deeper.
const DEPTH_MAX: usize = 128;

/// The paths of nodes, each once; a node whose path can't be told by its number. At most so many, and then how many
/// more there are.
pub(super) async fn named(nodes: &[NodeId], max: usize, metadata: &dyn ShareMetadata) -> Vec<String> {
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable();
    nodes.dedup();
    let mut names = Vec::new();
    for node in nodes.iter().take(max) {
        names.push(path_of(*node, metadata).await.unwrap_or_else(|| format!("file number {}", node.0)));
    }
    if nodes.len() > max {
        names.push(format!("{} more", nodes.len() - max));
    }
    names
}

async fn path_of(node: NodeId, metadata: &dyn ShareMetadata) -> Option<String> {
    let mut parts = Vec::new();
    let mut node = node;
    while node != NodeId::ROOT {
        let view = metadata.view(&Query::node(node)).await.ok()?;
        let parent = view.node(node).ok()?.parent;
        if parent.cookie == Cookie::START || parts.len() >= DEPTH_MAX {
            return None;
        }
        let name = metadata.name_of(parent.directory, parent.cookie).await.ok()??;
        parts.push(String::from_utf8_lossy(name.as_bytes()).escape_debug().to_string());
        node = parent.directory;
    }
    parts.reverse();
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests;
