//! Changes of a file's content: what is stored of it and what is unflushed of it change together.

use dittofs_domain::{
    ContentVersion, OpId,
    attributes::Pending,
    error::{FsError, FsResult},
    plan::{Change, Expectation, NodeUpdate, Plan, Query, View},
};
use dittofs_ports::Appended;

use crate::volume::{
    node_locks::NodeLock,
    pending::PendingNodes,
    plans::{PlanOutcome, PlanRunner},
};

/// The query for a change of content, and the facts that are needed where nobody knows whether the change was done.
pub(in crate::volume) struct ContentQuery {
    pub(in crate::volume) query: Query,
    pub(in crate::volume) op: Option<OpId>,
    /// Whether bytes go that are only in the journal. If the plan may have been applied, the index must be made to fit
    /// what is stored before anybody sees the file; bytes that a flush has stored twice do no harm.
    pub(in crate::volume) removes: bool,
}

impl PlanRunner {
    /// [`super::PlansOf::change_content`] for what the server does by itself: a flush.
    ///
    /// # Errors
    /// Those of [`super::PlansOf::change_content`].
    pub(in crate::volume) async fn change_content<T: Send>(
        &self,
        lock: &NodeLock<'_>,
        query: ContentQuery,
        decide: impl FnMut(&View, Option<&Pending>) -> FsResult<(Plan, T)> + Send,
        forget: impl FnOnce(&PendingNodes, &T) -> Vec<Appended> + Send,
    ) -> FsResult<PlanOutcome<T>> {
        self.of_server().change_content(lock, query, decide, forget).await
    }

    /// Makes the index of a node fit what is stored, if a plan may have removed bytes of it, for as long as the store
    /// does not answer: nobody may see or write the file before. Where that can't be done, or the share closes, it is
    /// left to the next flush.
    pub(super) async fn fit_in_the_end(&self, lock: &NodeLock<'_>) {
        for attempt in 1.. {
            match self.fit(lock).await {
                Err(FsError::Busy) if !self.share.is_closing() => self.share.jitter(attempt).await,
                _ => return,
            }
        }
    }

    /// Makes the index of a node fit what is stored, if a plan that removes bytes of it was sent and nobody has heard
    /// what became of it. Such a plan may still be on its way: the node gets another content version first, under
    /// which it can't be applied any more.
    ///
    /// # Errors
    /// Those of [`super::PlansOf::run`]: then nothing of the node may be published.
    pub(in crate::volume) async fn fit(&self, lock: &NodeLock<'_>) -> FsResult<()> {
        let (node, pending) = (lock.node(), self.nodes.pending());
        if !pending.is_uncertain(node) {
            return Ok(());
        }
        let outcome = self
            .run_under(lock, Query::node(node), |view| {
                let mut plan = Plan::at(self.share.now());
                // Of one that is gone nothing will be published.
                if let Ok(stored) = view.node(node) {
                    let version = stored.content_version;
                    plan.require(Expectation::ContentVersion { node, version });
                    let raised = Some(ContentVersion(version.0.saturating_add(1)));
                    plan.change(Change::UpdateNode(
                        node,
                        NodeUpdate { content_version: raised, ..NodeUpdate::default() },
                    ));
                }
                Ok((plan, ()))
            })
            .await?;
        if let Some(stored) = outcome.applied.node(node).and_then(|touched| touched.after.as_ref()) {
            let records = pending.fit(lock, stored);
            self.write_back.release(records).await;
        }
        Ok(())
    }
}
