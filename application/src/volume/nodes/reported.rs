//! Files that can't be read, reported by path.

use std::{collections::HashMap, hash::Hash, time::Duration};

use dittofs_domain::{Cookie, NodeId, plan::Query};
use dittofs_ports::ShareMetadata;
use parking_lot::Mutex;

use crate::volume::nodes::Nodes;

/// So long a file, or whatever else, is not reported again: its path costs a question for each of its parts.
const PAUSE: Duration = Duration::from_secs(60);
/// How many are remembered as reported. Beyond that, some are reported more often.
const REPORTED_MAX: usize = 1_024;
/// No path that people use is deeper.
const DEPTH_MAX: usize = 128;

/// When files, or other things, were reported.
#[derive(Debug)]
pub(in crate::volume) struct Reported<K = NodeId>(Mutex<HashMap<K, Duration>>);

impl<K> Default for Reported<K> {
    fn default() -> Reported<K> {
        Reported(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash> Reported<K> {
    /// Whether a report of something is due; then it counts as reported.
    pub(in crate::volume) fn is_due(&self, what: K, now: Duration) -> bool {
        let mut reported = self.0.lock();
        if reported.get(&what).is_some_and(|at| now.saturating_sub(*at) < PAUSE) {
            return false;
        }
        if reported.len() >= REPORTED_MAX {
            reported.clear();
        }
        reported.insert(what, now);
        true
    }
}

impl Nodes {
    /// A file by its path, or by its number where that is not known.
    pub(in crate::volume) async fn file(&self, node: NodeId) -> String {
        path_of(node, &*self.metadata).await.unwrap_or_else(|| format!("file number {node}"))
    }

    /// Says in the log which file has bytes that can't be read. What is wrong with them was said before.
    pub(in crate::volume) async fn report_unreadable(&self, node: NodeId) {
        if !self.reported.is_due(node, self.share.monotonic()) {
            return;
        }
        let file = self.file(node).await;
        tracing::error!(share = %self.share.name(), %node, %file, "bytes of this file can't be read: `dittofs check` says which");
    }
}

/// The path of a node in its share, as far as it is known. Characters that are not printable are escaped.
pub async fn path_of(node: NodeId, metadata: &dyn ShareMetadata) -> Option<String> {
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
