//! The lists of removed nodes and of pending truncations, against what the nodes say.

use std::sync::Arc;

use dittofs_domain::{Node, NodeId, check::Finding, error::FsResult};

use super::{Checker, PAGE, Subject, damaged::NodeRow, metadata_failed};
use crate::volume::breathe::breathe;

impl Checker<'_> {
    pub(super) async fn scan_notes(&mut self) -> FsResult<()> {
        let mut removed = self.unlinked_candidates().await?;
        let missing = |facts: &&dittofs_domain::check::NodeFacts| facts.is_unlinked() && !facts.is_noted();
        removed.extend(self.nodes.iter().filter(missing).map(|facts| facts.id).take(super::CANDIDATES_MAX));
        for node in removed {
            self.outcome.take(self.subject.fault_of_note(node).await?);
        }
        let mut pending_truncations = self.truncation_candidates().await?;
        let missing = self.nodes.iter().filter(|facts| facts.has_pending_truncation()).map(|facts| facts.id);
        pending_truncations.extend(missing.take(super::CANDIDATES_MAX));
        for node in pending_truncations {
            self.outcome.take(self.subject.fault_of_truncation(node).await?);
        }
        Ok(())
    }

    async fn unlinked_candidates(&mut self) -> FsResult<Vec<NodeId>> {
        let (mut candidates, mut after) = (Vec::new(), NodeId(0));
        loop {
            let page = self.subject.metadata.unlinked(after, PAGE).await.map_err(|error| metadata_failed(&error))?;
            for (node, _) in &page {
                let facts = self.nodes.find_mut(*node);
                let is_right = facts.as_ref().is_some_and(|facts| facts.is_unlinked() || facts.is_damaged());
                facts.into_iter().for_each(|facts| facts.note());
                if !is_right {
                    self.outcome.add_candidate(&mut candidates, *node);
                }
            }
            match page.last() {
                Some((last, _)) if page.len() == PAGE => after = *last,
                _ => return Ok(candidates),
            }
            breathe().await;
        }
    }

    async fn truncation_candidates(&mut self) -> FsResult<Vec<NodeId>> {
        let (mut candidates, mut after) = (Vec::new(), NodeId(0));
        loop {
            let page = self
                .subject
                .metadata
                .pending_truncations(after, PAGE)
                .await
                .map_err(|error| metadata_failed(&error))?;
            for node in &page {
                let facts = self.nodes.find_mut(*node);
                let is_right = facts.as_ref().is_some_and(|facts| facts.has_pending_truncation() || facts.is_damaged());
                facts.into_iter().for_each(|facts| facts.pending_truncation_is_listed());
                if !is_right {
                    self.outcome.add_candidate(&mut candidates, *node);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = *last,
                _ => return Ok(candidates),
            }
            breathe().await;
        }
    }
}

impl Subject<'_> {
    /// Flag and note are set by one plan, and the flag is never taken back: what is so before and after the note was
    /// looked for was so at that instant.
    async fn fault_of_note(&self, node: NodeId) -> FsResult<Option<Finding>> {
        let is_linked = |node: Arc<Node>| node.is_linked();
        let before = self.node(node).await?.map(is_linked);
        let first = self.metadata.unlinked(NodeId(node.0.saturating_sub(1)), 1).await;
        let is_noted = first.map_err(|error| metadata_failed(&error))?.iter().any(|(first, _)| *first == node);
        if before != self.node(node).await?.map(is_linked) {
            return Ok(None);
        }
        Ok(match (before, is_noted) {
            (NodeRow::Whole(false), false) => Some(Finding::NoteMissing { node }),
            (NodeRow::Whole(true) | NodeRow::Missing, true) => Some(Finding::NoteSuperfluous { node }),
            _ => None,
        })
    }

    /// Between two looks that show the same truncation, and the same content version, there was no other.
    async fn fault_of_truncation(&self, node: NodeId) -> FsResult<Option<Finding>> {
        let pending = |node: Arc<Node>| (node.pending_truncation, node.content_version);
        let before = self.node(node).await?.map(pending);
        let first = self.metadata.pending_truncations(NodeId(node.0.saturating_sub(1)), 1).await;
        let is_listed = first.map_err(|error| metadata_failed(&error))?.first() == Some(&node);
        let is_pending = matches!(&before, NodeRow::Whole((pending_truncation, _)) if pending_truncation.is_some());
        let is_known = before != NodeRow::Damaged && before == self.node(node).await?.map(pending);
        Ok((is_known && is_pending != is_listed).then_some(Finding::PendingTruncationNote { node }))
    }
}
