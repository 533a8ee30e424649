//! Names of nodes, for messages.

use dittofs_application::path_of;
use dittofs_domain::NodeId;
use dittofs_ports::ShareMetadata;

/// The paths of nodes, each once; a node whose path is not known by its number. At most so many, and then how many
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

#[cfg(test)]
mod tests;
