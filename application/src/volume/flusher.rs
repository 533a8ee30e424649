//! From the journal to the content store: slices become blocks, blocks of many files become an object.
//!
//! A flush takes what is unflushed of some nodes (each under its lock), region by region as [`Cutter`] says, puts one
//! object, and then publishes it node by node ([`super::publish`]). While some objects are on their way the next one is
//! gathered, which has other regions: so it does not matter which of them arrives first. Uploads hold no node's lock.

mod atime;
mod build;
mod commit;
mod due;
mod gather;
mod publish;
mod steps;

use std::sync::Arc;

use dittofs_domain::{
    NodeId, ObjectId,
    content::object::ObjectBuilder,
    error::{FsError, FsResult},
    flush::{Cutter, Policy, Step},
    plan::ObjectState,
};
use dittofs_ports::{ContentError, ContentStore};
use futures_util::{FutureExt, StreamExt, future::join_all, pin_mut, select_biased, stream::FuturesUnordered};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard};

use crate::{
    lock_order::{Ordered, Rank, branch, may_wait_outside},
    to_end::run_to_end,
    volume::{
        blocks::BlockReader,
        garbage::Garbage,
        node_locks::NodeLocks,
        nodes::Nodes,
        plans::PlanRunner,
        sealing::Sealing,
        share::{Share, graver, is_of_file},
        write_back::WriteBack,
    },
};
pub(super) use commit::Commits;
pub(super) use gather::Gathered;
pub(super) use steps::Steps;

/// How often everything is gone through until nothing old is left. Each takes what came during the last one: where
/// clients write faster than that, there is no end to reach.
const ROUNDS_MAX: u32 = 16;
/// Objects of a flush that are on their way at once. One is built while the other is on its way; 64 MiB each are in
/// memory.
const UPLOADS_MAX: usize = 2;

/// The nodes of a flush that are left to take.
struct Queue {
    cutter: Cutter,
    /// Why a node was left out. The others are flushed all the same.
    failed: Option<FsError>,
}

/// An object that is on its way: perhaps nothing refers to it in the end.
struct ObjectInDoubt<'f> {
    garbage: &'f Garbage,
    object: ObjectId,
}

impl Drop for ObjectInDoubt<'_> {
    fn drop(&mut self) {
        self.garbage.released([self.object]);
        self.garbage.wake();
    }
}

/// When a share's files are flushed. Where only the stores remember what was answered, no file is left longer than others
/// because it is written to all the time.
fn policy(share: &Share) -> Policy {
    let usual = Policy::of(share.scale());
    if share.tier().is_of_stores() { Policy { scattered_age_ms_max: usual.age_ms_max, ..usual } } else { usual }
}

/// Moves unflushed bytes into the content store.
pub(super) struct Flusher {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    locks: Arc<NodeLocks>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    blocks: Arc<BlockReader>,
    sealing: Arc<Sealing>,
    garbage: Arc<Garbage>,
    content: Arc<dyn ContentStore>,
    policy: Policy,
    /// How much goes into an object where there is little room.
    steps: Mutex<Steps>,
    flushing: AsyncMutex<()>,
}

impl Flusher {
    pub(super) fn new(
        (share, nodes, locks): (Arc<Share>, Arc<Nodes>, Arc<NodeLocks>),
        (write_back, plans): (Arc<WriteBack>, Arc<PlanRunner>),
        (blocks, sealing): (Arc<BlockReader>, Arc<Sealing>),
        garbage: Arc<Garbage>,
        content: Arc<dyn ContentStore>,
    ) -> Flusher {
        Flusher {
            policy: policy(&share),
            share,
            nodes,
            locks,
            write_back,
            plans,
            blocks,
            sealing,
            garbage,
            content,
            steps: Mutex::default(),
            flushing: AsyncMutex::new(()),
        }
    }

    /// Bytes of an object at most.
    pub(super) fn object_bytes_max(&self) -> u64 {
        self.policy.object_bytes_max
    }

    /// Keeps everybody from flushing.
    pub(super) async fn stop_flushing(&self) -> Ordered<AsyncMutexGuard<'_, ()>> {
        Ordered::take(Rank::Flushing, self.flushing.lock()).await
    }

    /// Flushes everything that was acknowledged before the call, but what is set aside.
    ///
    /// # Errors
    /// Those of the stores; `Busy` if files are truncated again and again while they are flushed.
    pub(crate) async fn flush_all(&self) -> FsResult<()> {
        let started = self.share.monotonic();
        for _ in 0..ROUNDS_MAX {
            let nodes = self.nodes.pending().nodes();
            let due: Vec<NodeId> =
                nodes.into_iter().filter(|(_, p)| p.lock().since <= started).map(|(node, _)| node).collect();
            let due: Vec<NodeId> = due.into_iter().filter(|node| !self.write_back.set_aside().has(*node)).collect();
            if due.is_empty() {
                return Ok(());
            }
            self.flush(due).await?;
        }
        Err(FsError::Busy)
    }

    /// The same for who asks from outside, and may go away meanwhile: a flush that stopped half-way would leave an object
    /// that nobody remembers before the next start.
    pub(crate) async fn flush_all_to_end(self: &Arc<Self>) -> FsResult<()> {
        let flusher = Arc::clone(self);
        let flush = async move { flusher.flush_all().await };
        run_to_end(&*self.share.machine().spawner, "requested flush", flush).await.unwrap_or(Err(FsError::Busy))
    }

    /// Flushes what is unflushed of these nodes, many to an object. One flush at a time: of two that took the same
    /// bytes, the slower one would publish them over newer ones. The objects of one flush share no region.
    pub(super) async fn flush(&self, nodes: Vec<NodeId>) -> FsResult<()> {
        let _flushing = self.stop_flushing().await;
        self.flush_alone(nodes).await
    }

    /// The same, for a caller that keeps others from flushing.
    async fn flush_alone(&self, nodes: Vec<NodeId>) -> FsResult<()> {
        // Records that are lost can't be read, and would keep their file from being flushed.
        self.write_back.handle_failures().await?;
        self.sealing.adopt_key().await?;
        let step = self.steps.lock().next(self.policy.object_bytes_max);
        let policy = Policy { object_bytes_max: step, ..self.policy };
        let mut queue = Queue { cutter: Cutter::new(nodes, &policy, self.share.scale()), failed: None };
        let mut on_their_way = FuturesUnordered::new();
        let (mut failed, mut is_done) = (None, false);
        while !is_done || !on_their_way.is_empty() {
            if is_done || on_their_way.len() >= UPLOADS_MAX {
                if let Some(flushed) = on_their_way.next().await {
                    self.write_back.note_full(&flushed);
                    failed = graver(failed, flushed.err());
                }
            } else {
                let gathering = self.gather_batch(&mut queue).fuse();
                pin_mut!(gathering);
                let batch = loop {
                    select_biased! {
                        flushed = on_their_way.select_next_some() => {
                            self.write_back.note_full(&flushed);
                            failed = graver(failed, flushed.err());
                        }
                        batch = gathering => break batch,
                    }
                };
                if !batch.is_empty() && failed.is_none_or(is_of_file) {
                    on_their_way.push(branch(self.flush_batch(batch)));
                    continue;
                }
                is_done = true;
            }
            // The rest would fail as well, unless the failure is one file's damage.
            is_done |= failed.is_some_and(|error| !is_of_file(error));
        }
        graver(failed, queue.failed).map_or(Ok(()), Err)
    }

    /// Takes as much as one object holds; nothing once all is taken.
    async fn gather_batch(&self, queue: &mut Queue) -> Vec<Gathered> {
        let mut batch: Vec<Gathered> = Vec::new();
        loop {
            match queue.cutter.step() {
                Step::Take { node, from } => match self.gather_node(node, from, &mut queue.cutter).await {
                    Ok(gathered) => batch.extend(gathered),
                    Err(error) => {
                        self.write_back.note_published(node, &Err(error)).await;
                        queue.failed = graver(queue.failed, Some(error));
                        queue.cutter.finished();
                    }
                },
                // The batch is empty if the nodes that were taken for it failed afterwards.
                Step::Put if batch.is_empty() => queue.cutter.put(),
                Step::Put => {
                    queue.cutter.put();
                    return batch;
                }
                Step::Done => return batch,
            }
        }
    }

    async fn flush_batch(&self, mut batch: Vec<Gathered>) -> FsResult<()> {
        let mut builder = ObjectBuilder::new(self.share.new_object(), self.share.id(), self.share.epoch());
        let mut failed = None;
        for gathered in &mut batch {
            let error = match self.add_blocks(&mut builder, gathered).await {
                // Who waits for what a truncation has left of it must ask again.
                Ok(false) if self.share.tier().is_of_stores() => FsError::Busy,
                Ok(_) => continue,
                Err(error) => {
                    self.write_back.note_published(gathered.node, &Err(error)).await;
                    gathered.give_up();
                    error
                }
            };
            failed = graver(failed, Some(error));
        }
        // Where all was removed meanwhile there is nothing to put.
        if batch.iter().all(|gathered| gathered.ranges.is_empty()) {
            return failed.map_or(Ok(()), Err);
        }
        // Dropped in the end, whether it failed, or nobody waits any more, or every node has been removed meanwhile.
        let _in_doubt = ObjectInDoubt { garbage: &self.garbage, object: builder.object() };
        let result = self.put_and_publish(&batch, builder).await;
        graver(failed, result.err()).map_or(Ok(()), Err).inspect_err(|_| self.share.counters().flush_failures.count())
    }

    async fn put_and_publish(&self, batch: &[Gathered], builder: ObjectBuilder) -> FsResult<()> {
        let (writing, live) = (builder.record(ObjectState::Writing), builder.record(ObjectState::Live));
        self.plans.put_object_row(writing).await?;
        may_wait_outside();
        if let Err(error) = self.content.put(self.share.id(), live.id, builder.finish()).await {
            let node = batch.first().map_or(NodeId(0), |gathered| gathered.node);
            match error {
                ContentError::Unavailable(_) => self.blocks.outage().failed(self.share.monotonic()),
                ContentError::Full => _ = self.steps.lock().found_no_room(live.bytes),
                _ => {}
            }
            return Err(self.share.content_failed(node, live.id, &error));
        }
        self.steps.lock().found_room(self.policy.object_bytes_max);
        self.share.counters().flushed(batch.iter().map(Gathered::bytes).sum());
        self.blocks.outage().over();
        // At the same time, so that their plans go into few transactions.
        let mut publishing = Vec::with_capacity(batch.len());
        for gathered in batch {
            publishing.push(branch(self.publish(gathered, live)));
        }
        let published = join_all(publishing).await;
        for (gathered, result) in batch.iter().zip(&published) {
            self.write_back.note_published(gathered.node, result).await;
        }
        published.into_iter().map(Result::err).fold(None, graver).map_or(Ok(()), Err)
    }
}
