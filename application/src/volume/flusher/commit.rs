//! Commits of shares where nothing but the stores remembers what was answered ([`Tier::Stores`]).
//!
//! A small file goes into its map, in one plan: it is durable as soon as the metadata store answers. It stays in the
//! index, and the next flush puts it into an object together with others. What is greater is flushed at once, together
//! with what others wait for at the time.

use std::{collections::BTreeMap, mem, sync::Arc};

use bytes::{Bytes, BytesMut};
use dittofs_domain::{
    NodeId, Sequence,
    attributes::Pending,
    content::{
        map::{self, Piece, Source},
        slices::Slice,
    },
    error::{FsError, FsResult},
    flush::{goes_inline, is_committed},
    plan::{Query, View},
};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    lock_order::strand,
    to_end::run_to_end,
    volume::{
        flusher::Flusher,
        node_locks::NodeLocks,
        nodes::Nodes,
        plans::{ContentQuery, PlanRunner},
        share::Share,
        tier::Tier,
        write_back::WriteBack,
    },
};

type Answers = BTreeMap<NodeId, Vec<oneshot::Sender<FsResult<()>>>>;

/// Files that somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Awaited(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    answers: Answers,
    /// Whether somebody flushes again and again until nobody waits.
    is_led: bool,
}

impl Awaited {
    /// Waits for a file; answers whether the caller has to see to it that all are flushed.
    fn enter(&self, node: NodeId, answer: oneshot::Sender<FsResult<()>>) -> bool {
        let mut waiting = self.0.lock();
        waiting.answers.entry(node).or_default().push(answer);
        !mem::replace(&mut waiting.is_led, true)
    }

    /// Takes all that are waited for. If there are none, somebody else has to see to the next one.
    fn take(&self) -> Answers {
        let mut waiting = self.0.lock();
        waiting.is_led = !waiting.answers.is_empty();
        mem::take(&mut waiting.answers)
    }
}

/// Makes what was written durable at the share's tier.
pub(in crate::volume) struct Commits {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    locks: Arc<NodeLocks>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    flusher: Arc<Flusher>,
    awaited: Awaited,
}

impl Commits {
    pub(in crate::volume) fn new(
        (share, nodes, locks): (Arc<Share>, Arc<Nodes>, Arc<NodeLocks>),
        (write_back, plans): (Arc<WriteBack>, Arc<PlanRunner>),
        flusher: Arc<Flusher>,
    ) -> Commits {
        Commits { share, nodes, locks, write_back, plans, flusher, awaited: Awaited::default() }
    }

    /// Makes a node's records up to this one durable at the share's tier. It goes on when its caller does not wait any
    /// longer.
    ///
    /// # Errors
    /// Those of the stores; `Busy` if they don't answer for as long as a write waits for room, or if the file is truncated
    /// again and again meanwhile.
    pub(in crate::volume) async fn make_durable(self: &Arc<Self>, node: NodeId, up_to: Sequence) -> FsResult<()> {
        match self.share.tier() {
            Tier::Journal => self.write_back.make_durable(node, up_to).await,
            Tier::Stores { inline_bytes_max } => {
                let commits = Arc::clone(self);
                let store = async move { commits.store(node, up_to, inline_bytes_max).await };
                run_to_end(&*self.share.machine().spawner, "commit", store).await.unwrap_or(Err(FsError::Busy))
            }
        }
    }

    /// Puts all that is unflushed of a node into the stores, unless that is there already.
    async fn store(self: &Arc<Self>, node: NodeId, up_to: Sequence, inline_bytes_max: u32) -> FsResult<()> {
        let is_stored = |commits: &Commits| {
            let pending = commits.nodes.pending().find(node);
            pending.is_none_or(|pending| is_committed(pending.lock().in_map(), up_to))
        };
        if is_stored(self) || self.store_inline(node, inline_bytes_max).await? {
            return Ok(());
        }
        let until = self.share.monotonic() + self.write_back.admission().patience();
        for attempt in 1.. {
            match self.flush_awaited(node).await {
                Err(FsError::Busy) if !self.share.is_closing() && self.share.monotonic() < until => {
                    self.share.jitter(attempt).await;
                }
                answer => return answer,
            }
        }
        Err(FsError::Busy)
    }

    /// Puts what is unflushed of a node into its map, if that is little; answers whether all of it is there.
    async fn store_inline(&self, node: NodeId, bytes_max: u32) -> FsResult<bool> {
        let lock = self.locks.lock(node).await;
        let Some(pending) = self.nodes.pending().find(node) else { return Ok(true) };
        let (slices, newest): (Vec<Slice>, _) = {
            let pending = pending.lock();
            let (Some(newest), true) = (pending.newest(), goes_inline(&pending.slices, bytes_max)) else {
                return Ok(false);
            };
            (pending.slices.iter().collect(), newest)
        };
        let Some(pieces) = self.pieces(&slices).await? else { return Ok(false) };
        // In several plans a crash between two of them would leave a size that nobody gave the file.
        if !map::is_one_install(&pieces, self.share.scale()) {
            return Ok(false);
        }
        let map_query = map::install_query(node, &pieces, self.share.scale());
        let query = Query { map: Some(map_query), ..Query::node(node) };
        let decide = |view: &View, shown: Option<&Pending>| {
            let stored = view.node(node)?;
            self.flusher.installing(stored, (&view.map, map_query), &pieces, (shown, None)).map(|plan| (plan, ()))
        };
        let query = ContentQuery { query, op: None, removes: false };
        self.plans.change_content(&lock, query, decide, |_, ()| Vec::new()).await?;
        pending.lock().put_in_map(newest);
        Ok(true)
    }

    /// Reads slices, which are in order; none if their records have gone. What follows each other becomes one piece.
    async fn pieces(&self, slices: &[Slice]) -> FsResult<Option<Vec<Piece>>> {
        let mut runs: Vec<(u64, BytesMut)> = Vec::new();
        for slice in slices {
            let Some(bytes) = self.write_back.slice(slice, slice.len).await? else { return Ok(None) };
            match runs.last_mut() {
                Some((offset, run)) if *offset + run.len() as u64 == slice.offset => run.extend_from_slice(&bytes),
                _ => runs.push((slice.offset, BytesMut::from(&bytes[..]))),
            }
        }
        let piece = |(offset, run): (u64, BytesMut)| {
            let bytes: Bytes = run.freeze();
            Piece { offset, len: bytes.len() as u64, source: Source::Inline(bytes) }
        };
        Ok(Some(runs.into_iter().map(piece).collect()))
    }

    /// Flushes a node, together with those that others wait for.
    async fn flush_awaited(self: &Arc<Self>, node: NodeId) -> FsResult<()> {
        let (answer, answered) = oneshot::channel();
        if self.awaited.enter(node, answer) {
            let commits = Arc::clone(self);
            let flushing = strand(async move { commits.flush_while_awaited().await });
            self.share.machine().spawner.spawn("commits", Box::pin(flushing));
        }
        answered.await.unwrap_or(Err(FsError::Busy))
    }

    async fn flush_while_awaited(&self) {
        loop {
            let _flushing = self.flusher.stop_flushing().await;
            // Only now: a flush that takes a file after its commit was asked for has all that was written before.
            let awaited = self.awaited.take();
            if awaited.is_empty() {
                return;
            }
            let flushed = self.flusher.flush_alone(awaited.keys().copied().collect()).await;
            let are_many = awaited.len() > 1;
            for (node, answers) in awaited {
                // One file's trouble is none of the others.
                let flushed =
                    if flushed.is_err() && are_many { self.flusher.flush_alone(vec![node]).await } else { flushed };
                for answer in answers {
                    // Whoever asked may have gone.
                    answer.send(flushed).ok();
                }
            }
        }
    }
}
