//! From the journal to the content store: slices become blocks, blocks of many files become an object.
//!
//! A flush takes what is unflushed of some nodes (each under its turn), makes the journal durable that far, puts one
//! object, and then publishes it node by node ([`super::publish`]). Uploads hold nobody's turn.

use std::ops::Range;

use bytes::Bytes;
use dittofs_domain::{
    ContentVersion, NodeId, ObjectId, Sequence,
    content::{
        BLOCK_BYTES_MAX, Stored,
        block::{self, BlockSpec},
        map::{Piece, Source},
        object::ObjectBuilder,
        slices::Run,
    },
    error::{FsError, FsResult},
    plan::{Change, ObjectRecord, ObjectState, Plan, Query},
};

use super::Volume;

/// Bytes that one object takes: what is gathered of a node stops there.
const OBJECT_BYTES: u64 = 64 << 20;
/// How often everything is gone through until nothing old is left.
const ROUNDS_MAX: u32 = 16;

/// What is taken of one node for an object.
pub(super) struct Gathered {
    pub(super) node: NodeId,
    /// What was taken.
    pub(super) ranges: Vec<Range<u64>>,
    /// The newest record then.
    pub(super) up_to: Sequence,
    /// The content version then: where it has changed, what was taken may have been cut meanwhile.
    pub(super) content_version: ContentVersion,
    /// Where the bytes are now.
    pub(super) pieces: Vec<Piece>,
    runs: Vec<Run>,
}

impl Volume {
    /// Flushes everything that was acknowledged before the call.
    ///
    /// # Errors
    /// Those of the stores; `Busy` if files are cut again and again while they are flushed.
    pub(crate) async fn flush_all(&self) -> FsResult<()> {
        let started = self.machine.clock.monotonic();
        for _ in 0..ROUNDS_MAX {
            let nodes = self.pending.nodes();
            let due: Vec<NodeId> =
                nodes.into_iter().filter(|(_, p)| p.lock().since <= started).map(|(node, _)| node).collect();
            if due.is_empty() {
                return Ok(());
            }
            self.flush(due).await?;
        }
        Err(FsError::Busy)
    }

    /// Flushes what is unflushed of these nodes, many to an object. One flush at a time: of two that took the same
    /// bytes, the slower one would publish them over newer ones.
    pub(super) async fn flush(&self, nodes: Vec<NodeId>) -> FsResult<()> {
        let _flushing = self.flushing.lock().await;
        let mut nodes = nodes.into_iter();
        let mut rest: Option<(NodeId, u64)> = None;
        loop {
            let mut batch = Vec::new();
            let mut room = OBJECT_BYTES;
            while room > 0 {
                let Some((node, from)) = rest.take().or_else(|| nodes.next().map(|node| (node, 0))) else { break };
                let Some((gathered, next)) = self.gather_slices(node, from, room).await? else { continue };
                room = room.saturating_sub(gathered.runs.iter().map(|run| run.len).sum());
                rest = next.map(|next| (node, next));
                batch.push(gathered);
            }
            if batch.is_empty() {
                return Ok(());
            }
            self.flush_batch(batch).await?;
        }
    }

    /// What a node has from an offset on, and where to go on if that is too much for one object; none if nothing.
    async fn gather_slices(
        &self,
        node: NodeId,
        from: u64,
        bytes_max: u64,
    ) -> FsResult<Option<(Gathered, Option<u64>)>> {
        let _turn = self.turns.lock(node).await;
        let view = self.view(&Query::node(node)).await?;
        let Ok(stored) = self.live(&view, node) else {
            self.discard_pending(node).await;
            return Ok(None);
        };
        let Some(pending) = self.pending.find(node) else { return Ok(None) };
        let taken = pending.lock().slices.runs(from, bytes_max);
        if taken.runs.is_empty() {
            return Ok(None);
        }
        let gathered = Gathered {
            node,
            ranges: taken.runs.iter().map(Run::range).collect(),
            up_to: taken.up_to,
            content_version: stored.content_version,
            pieces: Vec::new(),
            runs: taken.runs,
        };
        Ok(Some((gathered, taken.next)))
    }

    async fn flush_batch(&self, mut batch: Vec<Gathered>) -> FsResult<()> {
        let up_to = batch.iter().map(|gathered| gathered.up_to).max().unwrap_or_default();
        // What the newest records cover of older ones is not in the index: it must not be lost after those are gone.
        let synced = self.stores.journal.sync(up_to).await;
        synced.map_err(|error| self.journal_failed(&error))?;
        let mut builder = ObjectBuilder::new(ObjectId(self.machine.randomness.bits128()), self.share(), self.epoch);
        for gathered in &mut batch {
            self.add_blocks(&mut builder, gathered).await?;
        }
        let object = builder.object();
        let bytes = builder.bytes();
        let result = self.put_and_publish(&batch, builder, object, bytes).await;
        // Whether it failed, or every node has been removed meanwhile: perhaps nothing refers to the object.
        self.suspects.lock().insert(object);
        self.reaping.notify_one();
        result
    }

    async fn put_and_publish(
        &self,
        batch: &[Gathered],
        builder: ObjectBuilder,
        object: ObjectId,
        bytes: u64,
    ) -> FsResult<()> {
        self.put_object_row(object, bytes, ObjectState::Writing).await?;
        if let Err(error) = self.stores.content.put(self.share(), object, builder.finish()).await {
            let node = batch.first().map_or(NodeId(0), |gathered| gathered.node);
            return Err(self.content_failed(node, object, &error));
        }
        for gathered in batch {
            self.publish(gathered, object, bytes).await?;
        }
        Ok(())
    }

    /// Makes blocks of what was taken of a node; nothing is left of it if a record was given up meanwhile, because the
    /// file was cut: then the next flush takes what is still there.
    async fn add_blocks(&self, builder: &mut ObjectBuilder, gathered: &mut Gathered) -> FsResult<()> {
        let runs = std::mem::take(&mut gathered.runs);
        for run in runs {
            let mut block = Vec::new();
            let (mut offset, mut length) = (run.offset, 0u32);
            for slice in &run.slices {
                let Some(mut bytes) = self.slice(slice, slice.len).await? else {
                    gathered.pieces.clear();
                    gathered.ranges.clear();
                    return Ok(());
                };
                while !bytes.is_empty() {
                    let part = bytes.split_to(bytes.len().min((BLOCK_BYTES_MAX - length) as usize));
                    length += part.len() as u32;
                    block.push(part);
                    if length == BLOCK_BYTES_MAX {
                        gathered.pieces.push(self.block(builder, gathered.node, offset, gathered.up_to, &block)?);
                        offset += u64::from(length);
                        block.clear();
                        length = 0;
                    }
                }
            }
            if length > 0 {
                gathered.pieces.push(self.block(builder, gathered.node, offset, gathered.up_to, &block)?);
            }
        }
        Ok(())
    }

    fn block(
        &self,
        builder: &mut ObjectBuilder,
        node: NodeId,
        offset: u64,
        seq: Sequence,
        payload: &[Bytes],
    ) -> FsResult<Piece> {
        let built = block::build(BlockSpec { node, offset, seq }, payload).map_err(|error| {
            tracing::error!(share = %self.name, %node, %error, "bytes of a flush make no block");
            FsError::Io
        })?;
        let object = builder.object();
        let block = builder.push(built);
        let from = Stored { object, block, skip: 0 };
        Ok(Piece { offset, len: u64::from(block.raw_len), source: Source::Stored(from) })
    }

    pub(super) async fn put_object_row(&self, id: ObjectId, bytes: u64, state: ObjectState) -> FsResult<()> {
        let mut plan = Plan::at(self.now());
        plan.change(Change::PutObject(ObjectRecord { id, state, owner: self.epoch, bytes }));
        self.stores.metadata.apply(plan, None).await.map_err(|error| self.apply_failed(&error))?;
        Ok(())
    }
}
