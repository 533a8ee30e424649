//! Removing what nobody reaches any more, in bounded plans.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, NodeId,
    content::map,
    error::FsResult,
    namespace::stream::{self, STREAMS_MAX, StreamEntry},
    node::NodeFlags,
    plan::{Change, Expectation, NodeUpdate, Plan, Query, Space, UnlinkedReason},
    quota,
};
use dittofs_ports::ShareMetadata;
use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    lock_order::branch,
    volume::{
        node_locks::{NodeLock, NodeLocks},
        nodes::Nodes,
        open_table::OpenTable,
        plans::PlanRunner,
        share::{Share, is_of_file},
        write_back::WriteBack,
    },
};

/// Nodes that one round looks at, at a time. A turn of the store; what each has is removed in plans of its own.
const NODES_PER_PAGE: usize = 256;
/// Nodes that are reaped side by side. Each waits for the metadata store most of its time, and most stores write what
/// comes together to the disk at once: one after another they would fall behind the clients that remove files. They take
/// about half of the connections to a database, so that clients go on.
const NODES_AT_ONCE: usize = 8;

/// Removes what nobody reaches any more.
pub(super) struct Reaper {
    pub(super) share: Arc<Share>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) locks: Arc<NodeLocks>,
    pub(super) metadata: Arc<dyn ShareMetadata>,
    pub(super) opens: Arc<OpenTable>,
    pub(super) write_back: Arc<WriteBack>,
    pub(super) plans: Arc<PlanRunner>,
}

impl Reaper {
    /// Finishes every truncation and removal that is pending.
    pub(super) async fn reap(&self) -> FsResult<()> {
        let mut after = NodeId(0);
        loop {
            let page = self.metadata.unlinked(after, NODES_PER_PAGE).await;
            let page = page.map_err(|error| self.share.metadata_failed(&error))?;
            let nodes = page.iter().map(|(node, _)| *node).collect();
            side_by_side(nodes, |node| async move { self.skip_damaged(node, self.reap_node(node).await).await })
                .await?;
            match page.last() {
                Some((last, _)) if page.len() == NODES_PER_PAGE => after = *last,
                _ => break,
            }
        }
        let mut after = NodeId(0);
        loop {
            let page = self.metadata.pending_truncations(after, NODES_PER_PAGE).await;
            let page = page.map_err(|error| self.share.metadata_failed(&error))?;
            let (last, is_last) = (page.last().copied(), page.len() < NODES_PER_PAGE);
            let reap = |node| async move { self.skip_damaged(node, self.reap_truncation(node).await).await };
            side_by_side(page, reap).await?;
            match last {
                Some(last) if !is_last => after = last,
                _ => return Ok(()),
            }
        }
    }

    /// A file that is damaged is left alone: the others are no worse for it.
    async fn skip_damaged(&self, node: NodeId, result: FsResult<()>) -> FsResult<()> {
        match result {
            Err(error) if is_of_file(error) => {
                self.nodes.report_unreadable(node).await;
                Ok(())
            }
            result => result,
        }
    }

    /// Removes a node without a name, unless somebody has it open.
    async fn reap_node(&self, node: NodeId) -> FsResult<()> {
        loop {
            let lock = self.locks.lock(node).await;
            if self.opens.is_kept_open(node).await? {
                return Ok(());
            }
            self.write_back.discard_pending(node).await;
            self.clear_streams(&lock).await?;
            let query = Query { map: Some(map::reap_node_query(node, self.share.scale())), ..Query::node(node) };
            let done = self
                .plans
                .run_under(&lock, query, |view| {
                    let Ok(stored) = view.node(node) else { return Ok((Plan::default(), true)) };
                    if !stored.flags.contains(NodeFlags::UNLINKED) {
                        return Ok((Plan::default(), true));
                    }
                    let step = map::reap_node(&view.map, node, self.share.scale())
                        .map_err(|error| self.share.map_failed(node, &error))?;
                    let mut plan = Plan::at(self.share.now());
                    plan.require(Expectation::Exists(node));
                    if step.done {
                        plan.changes.extend(step.edit.changes);
                        plan.change(Change::DeleteUnlinked(node)).change(Change::DeleteNode(node));
                        plan.change(quota::node_goes(stored));
                    } else {
                        plan.change(Change::PutUnlinked { node, reason: UnlinkedReason::Reaping });
                        step.edit.add_to(&mut plan, node, NodeUpdate::default());
                    }
                    Ok((plan, step.done))
                })
                .await?
                .value;
            if done {
                return Ok(());
            }
        }
    }

    /// Takes its streams from a node without a name. They are reaped later, as it is.
    async fn clear_streams(&self, lock: &NodeLock<'_>) -> FsResult<()> {
        let node = lock.node();
        loop {
            let seen = self.nodes.view(&Query::node(node)).await?;
            let Ok(stored) = seen.node(node) else { return Ok(()) };
            if stored.is_linked() || !stored.flags.contains(NodeFlags::STREAMS) {
                return Ok(());
            }
            let change = stored.change;
            let listed = self.metadata.list(node, Space::Streams, Cookie::START, STREAMS_MAX, true).await;
            let listed = listed.map_err(|error| self.share.metadata_failed(&error))?;
            let entries: Vec<StreamEntry> = listed.entries.into_iter().map(StreamEntry::from).collect();
            self.plans
                .run_under(lock, Query::node(node), |view| {
                    if !view.node(node).is_ok_and(|node| node.change == change) {
                        return Ok((Plan::default(), ()));
                    }
                    Ok((stream::clear(view, node, (&entries, listed.complete), self.share.now())?, ()))
                })
                .await?;
        }
    }

    /// Finishes a truncation that left rows behind.
    async fn reap_truncation(&self, node: NodeId) -> FsResult<()> {
        let mut cursor = None;
        loop {
            let lock = self.locks.lock(node).await;
            cursor = self.plans.reap_truncation_from(&lock, cursor).await?;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}

/// Reaps nodes, some at a time. After a failure no more are begun: a store that is away is not asked for each of them.
/// Those that were begun are waited for, as each may have been changed already.
async fn side_by_side<F>(nodes: Vec<NodeId>, reap: impl Fn(NodeId) -> F) -> FsResult<()>
where
    F: Future<Output = FsResult<()>>,
{
    let mut nodes = nodes.into_iter();
    let mut begun: FuturesUnordered<_> = nodes.by_ref().take(NODES_AT_ONCE).map(|node| branch(reap(node))).collect();
    let mut failed = None;
    while let Some(result) = begun.next().await {
        failed = failed.or(result.err());
        if failed.is_none()
            && let Some(node) = nodes.next()
        {
            begun.push(branch(reap(node)));
        }
    }
    failed.map_or(Ok(()), Err)
}
