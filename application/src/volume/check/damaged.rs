//! Rows that are damaged: each is reported, and what does not need it goes on.

use std::sync::Arc;

use dittofs_domain::{
    Node, NodeId,
    check::Finding,
    error::FsResult,
    plan::{Query, View},
};
use dittofs_ports::MetadataError;

use super::{Checker, Subject, metadata_failed};

/// The result of one read of a node's row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeRow<T = Arc<Node>> {
    Whole(T),
    /// It is there, and can't be read.
    Damaged,
    Missing,
}

impl<T> NodeRow<T> {
    pub(super) fn whole(self) -> Option<T> {
        match self {
            NodeRow::Whole(node) => Some(node),
            NodeRow::Damaged | NodeRow::Missing => None,
        }
    }

    /// Maps a whole row to the part of it that matters.
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> NodeRow<U> {
        match self {
            NodeRow::Whole(node) => NodeRow::Whole(of(node)),
            NodeRow::Damaged => NodeRow::Damaged,
            NodeRow::Missing => NodeRow::Missing,
        }
    }
}

impl Subject<'_> {
    /// A node as it is now.
    pub(super) async fn node(&self, id: NodeId) -> FsResult<NodeRow> {
        match self.metadata.view(&Query::node(id)).await {
            Ok(view) => Ok(view.nodes.first().map_or(NodeRow::Missing, |node| NodeRow::Whole(Arc::clone(node)))),
            Err(MetadataError::Corrupt(_)) => Ok(NodeRow::Damaged),
            Err(error) => Err(metadata_failed(&error)),
        }
    }

    /// None where rows are damaged: one file must not end the check of all others.
    pub(super) async fn try_view(&self, query: &Query) -> FsResult<Option<View>> {
        match self.metadata.view(query).await {
            Ok(view) => Ok(Some(view)),
            Err(MetadataError::Corrupt(error)) => {
                tracing::error!(share = %self.record.name, %error, "rows can't be read");
                Ok(None)
            }
            Err(error) => Err(metadata_failed(&error)),
        }
    }
}

impl Checker<'_> {
    /// Takes a node whose row can't be read. It may be a directory, whose entries are rows of their own.
    pub(super) fn note_damaged(&mut self, node: NodeId) {
        self.nodes.push_damaged(node);
        self.outcome.find(Finding::NodeUnreadable { node });
    }

    /// Takes a directory whose entries can't all be read. What has no name may have it there.
    pub(super) fn note_entries_damaged(&mut self, node: NodeId) {
        self.are_entries_known = false;
        let finding = Finding::EntriesUnreadable { node };
        if !self.outcome.findings.contains(&finding) {
            self.outcome.find(finding);
        }
    }
}
