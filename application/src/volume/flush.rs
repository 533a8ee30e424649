//! From the journal to the content store: slices become blocks, blocks of many files become an object.
//!
//! A flush takes what is unflushed of some nodes (each under its turn), region by region as [`Cutter`] says, puts one
//! object, and then publishes it node by node ([`super::publish`]). While some objects are on their way the next one is
//! gathered, which has other regions: so it does not matter which of them arrives first. Uploads hold nobody's turn.

mod build;
mod gather;

pub(super) use gather::Gathered;

use dittofs_domain::{
    NodeId, ObjectId,
    content::object::ObjectBuilder,
    error::{FsError, FsResult},
    flush::{Cutter, Policy, Step},
    plan::{Change, ObjectRecord, ObjectState, Plan},
};
use dittofs_ports::ContentError;
use futures_util::{FutureExt, StreamExt, future::join_all, pin_mut, select_biased, stream::FuturesUnordered};

use super::Volume;

/// How often everything is gone through until nothing old is left.
const ROUNDS_MAX: u32 = 16;

/// Objects of a flush that are on their way at once.
const UPLOADS_MAX: usize = 2;

/// What is left to take of the nodes of a flush.
struct Queue {
    cutter: Cutter,
    /// Why a node was left out. The others are flushed all the same.
    failed: Option<FsError>,
}

impl Volume {
    /// Flushes everything that was acknowledged before the call, but what is set aside.
    ///
    /// # Errors
    /// Those of the stores; `Busy` if files are cut again and again while they are flushed.
    pub(crate) async fn flush_all(&self) -> FsResult<()> {
        let started = self.machine.clock.monotonic();
        for _ in 0..ROUNDS_MAX {
            let nodes = self.pending.nodes();
            let due: Vec<NodeId> =
                nodes.into_iter().filter(|(_, p)| p.lock().since <= started).map(|(node, _)| node).collect();
            let due: Vec<NodeId> = due.into_iter().filter(|node| !self.aside.has(*node)).collect();
            if due.is_empty() {
                return Ok(());
            }
            self.flush(due).await?;
        }
        Err(FsError::Busy)
    }

    /// Flushes what is unflushed of these nodes, many to an object. One flush at a time: of two that took the same
    /// bytes, the slower one would publish them over newer ones. The objects of one flush share no region.
    pub(super) async fn flush(&self, nodes: Vec<NodeId>) -> FsResult<()> {
        let _flushing = self.flushing.lock().await;
        self.adopt_key().await?;
        let step = self.flush_steps.lock().next(self.flush_policy.object_bytes_max);
        let policy = Policy { object_bytes_max: step, ..self.flush_policy };
        let mut queue = Queue { cutter: Cutter::new(nodes, &policy, self.scale()), failed: None };
        let mut on_their_way = FuturesUnordered::new();
        let (mut failed, mut is_done) = (None, false);
        while !is_done || !on_their_way.is_empty() {
            if is_done || on_their_way.len() >= UPLOADS_MAX {
                if let Some(flushed) = on_their_way.next().await {
                    self.note_full(&flushed);
                    failed = failed.or(flushed.err());
                }
            } else {
                let gathering = self.gather_batch(&mut queue).fuse();
                pin_mut!(gathering);
                let batch = loop {
                    select_biased! {
                        flushed = on_their_way.select_next_some() => {
                            self.note_full(&flushed);
                            failed = failed.or(flushed.err());
                        }
                        batch = gathering => break batch,
                    }
                };
                if !batch.is_empty() && failed.is_none_or(Volume::is_of_file) {
                    on_their_way.push(self.flush_batch(batch));
                    continue;
                }
                is_done = true;
            }
            // What else there is would fail as well, unless it is one file's damage.
            is_done |= failed.is_some_and(|error| !Volume::is_of_file(error));
        }
        failed.or(queue.failed).map_or(Ok(()), Err)
    }

    /// Takes as much as one object holds; nothing once all is taken.
    async fn gather_batch(&self, queue: &mut Queue) -> Vec<Gathered> {
        let mut batch: Vec<Gathered> = Vec::new();
        loop {
            match queue.cutter.step() {
                Step::Take { node, from } => match self.gather_node(node, from, &mut queue.cutter).await {
                    Ok(gathered) => batch.extend(gathered),
                    Err(error) => {
                        self.note_published(node, &Err(error)).await;
                        queue.failed = Some(error);
                        queue.cutter.finished();
                    }
                },
                // What was taken of a node that failed then has no bytes in it.
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
        let mut builder = ObjectBuilder::new(ObjectId(self.machine.randomness.bits128()), self.share(), self.epoch);
        let mut failed = None;
        for gathered in &mut batch {
            if let Err(error) = self.add_blocks(&mut builder, gathered).await {
                self.note_published(gathered.node, &Err(error)).await;
                gathered.give_up();
                failed = Some(error);
            }
        }
        // Where all was cut meanwhile there is nothing to put.
        if batch.iter().all(|gathered| gathered.ranges.is_empty()) {
            return failed.map_or(Ok(()), Err);
        }
        let object = builder.object();
        let result = self.put_and_publish(&batch, builder).await;
        // Whether it failed, or every node has been removed meanwhile: perhaps nothing refers to the object.
        self.suspects.lock().insert(object);
        self.reaping.notify_one();
        failed.map_or(result, Err).inspect_err(|_| self.counters.flush_failures.count())
    }

    async fn put_and_publish(&self, batch: &[Gathered], builder: ObjectBuilder) -> FsResult<()> {
        let record = |state| ObjectRecord { id: builder.object(), state, owner: self.epoch, bytes: builder.bytes() };
        let (writing, live) = (record(ObjectState::Writing), record(ObjectState::Live));
        self.put_object_row(writing).await?;
        if let Err(error) = self.stores.content.put(self.share(), live.id, builder.finish()).await {
            let node = batch.first().map_or(NodeId(0), |gathered| gathered.node);
            match error {
                ContentError::Unavailable(_) => _ = self.outage.failed(self.machine.clock.monotonic()),
                ContentError::Full => _ = self.flush_steps.lock().found_no_room(live.bytes),
                _ => {}
            }
            return Err(self.content_failed(node, live.id, &error));
        }
        self.flush_steps.lock().found_room(self.flush_policy.object_bytes_max);
        self.counters.flushed(batch);
        self.outage.over();
        // At the same time, so that their plans go into few transactions.
        let mut publishing = Vec::with_capacity(batch.len());
        for gathered in batch {
            publishing.push(self.publish(gathered, live));
        }
        let published = join_all(publishing).await;
        for (gathered, result) in batch.iter().zip(&published) {
            self.note_published(gathered.node, result).await;
        }
        published.into_iter().collect()
    }

    pub(super) async fn put_object_row(&self, record: ObjectRecord) -> FsResult<()> {
        let mut plan = Plan::at(self.now());
        plan.change(Change::PutObject(record));
        self.stores.metadata.apply(plan, None).await.map_err(|error| self.apply_failed(&error))?;
        Ok(())
    }
}
