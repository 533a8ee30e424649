//! Extended attributes, against what nodes say of them.

use dittofs_domain::{NodeId, check::Finding, error::FsResult, node::NodeFlags, plan::Query};

use super::{CANDIDATES_MAX, Checker, PAGE, Subject, damaged::NodeRow, metadata_failed};
use crate::volume::breathe::breathe;

/// Looks for nodes that do not say what is there, and for attributes of no node.
pub(super) async fn scan_xattrs(checker: &mut Checker<'_>) -> FsResult<()> {
    let mut candidates = candidates(checker).await?;
    let missing = checker.nodes.iter().filter(|facts| facts.are_xattrs_in_doubt()).map(|facts| facts.id);
    candidates.extend(missing.take(CANDIDATES_MAX));
    candidates.sort_unstable();
    candidates.dedup();
    for node in candidates {
        let fault = checker.subject.fault_of_xattrs(node).await?;
        checker.outcome.take(fault);
    }
    Ok(())
}

async fn candidates(checker: &mut Checker<'_>) -> FsResult<Vec<NodeId>> {
    let (mut candidates, mut after) = (Vec::new(), NodeId(0));
    loop {
        let page = checker.subject.metadata.xattr_bytes(after, PAGE).await.map_err(|error| metadata_failed(&error))?;
        for (node, bytes) in &page {
            let facts = checker.nodes.find_mut(*node);
            let is_right = facts.is_some_and(|facts| facts.is_damaged() || facts.xattrs_are_listed(*bytes));
            if !is_right {
                checker.outcome.add_candidate(&mut candidates, *node);
            }
        }
        match page.last() {
            Some((last, _)) if page.len() == PAGE => after = *last,
            _ => return Ok(candidates),
        }
        breathe().await;
    }
}

impl Subject<'_> {
    /// The node and its attributes are of one instant.
    async fn fault_of_xattrs(&self, node: NodeId) -> FsResult<Option<Finding>> {
        let Some(view) = self.try_view(&Query::xattrs(node)).await? else {
            // One of the two is damaged: the other findings tell of the node.
            let is_node = matches!(self.node(node).await?, NodeRow::Damaged);
            return Ok((!is_node).then_some(Finding::XattrsUnreadable { node }));
        };
        let counted = view.xattrs.as_ref().map_or(0, |xattrs| xattrs.bytes());
        let Ok(stored) = view.node(node) else {
            return Ok((counted > 0).then_some(Finding::XattrsLeft { node }));
        };
        let is_right = stored.xattr_bytes == counted && stored.flags.contains(NodeFlags::XATTRS) == (counted > 0);
        Ok((!is_right).then_some(Finding::XattrBytes { node, stored: stored.xattr_bytes, counted }))
    }
}
