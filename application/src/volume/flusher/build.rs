//! Making blocks of what was taken.

use bytes::Bytes;
use dittofs_domain::{
    NodeId, Sequence,
    content::{
        Stored,
        block::BlockSpec,
        map::{Piece, Source},
        object::ObjectBuilder,
    },
    error::{FsError, FsResult},
};

use crate::volume::{
    blocks::{Joined, Segments, zeros},
    flusher::{
        Flusher,
        gather::{BlockPart, BlockParts, Gathered},
    },
};

impl Flusher {
    /// Makes blocks of what was taken of a node. If a record was given up or an object deleted meanwhile, because the file
    /// was truncated, it takes nothing and answers false: the next flush takes what is still there.
    pub(super) async fn add_blocks(&self, builder: &mut ObjectBuilder, gathered: &mut Gathered) -> FsResult<bool> {
        for block in std::mem::take(&mut gathered.parts) {
            let added = match self.add_block(builder, gathered, &block).await {
                // Old bytes beside it can't be read: the new ones need not wait for them.
                Err(FsError::Io) => {
                    self.nodes.report_unreadable(gathered.node).await;
                    self.add_written(builder, gathered, &block).await?
                }
                added => added?,
            };
            if !added {
                gathered.give_up();
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn add_written(
        &self,
        builder: &mut ObjectBuilder,
        gathered: &mut Gathered,
        block: &BlockParts,
    ) -> FsResult<bool> {
        for written in block.written() {
            if !self.add_block(builder, gathered, &written).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Answers whether its bytes were still there.
    async fn add_block(
        &self,
        builder: &mut ObjectBuilder,
        gathered: &mut Gathered,
        block: &BlockParts,
    ) -> FsResult<bool> {
        let Some(payload) = self.payload(gathered.node, block).await? else { return Ok(false) };
        let piece = self.block(builder, gathered.node, block, gathered.up_to, &payload)?;
        gathered.pieces.push(piece);
        Ok(true)
    }

    async fn payload(&self, node: NodeId, block: &BlockParts) -> FsResult<Option<Segments>> {
        let mut payload = Joined::default();
        for part in &block.parts {
            match part {
                BlockPart::Slice(slice) => match self.write_back.slice(slice, slice.len).await? {
                    Some(bytes) => payload.push(bytes),
                    None => return Ok(None),
                },
                BlockPart::Mapped(Piece { len, source: Source::Stored(from), .. }) => {
                    let mut stored = Segments::new();
                    match self.blocks.stored(node, from, 0, *len as u32, &mut stored).await {
                        Err(FsError::Stale) => return Ok(None),
                        done => done?,
                    }
                    payload.extend(stored);
                }
                BlockPart::Mapped(Piece { source: Source::Inline(bytes), .. }) => payload.push(bytes.clone()),
                BlockPart::Mapped(Piece { len, source: Source::Hole, .. }) => zeros(*len, &mut payload),
            }
        }
        Ok(Some(payload.finish()))
    }

    fn block(
        &self,
        builder: &mut ObjectBuilder,
        node: NodeId,
        block: &BlockParts,
        seq: Sequence,
        payload: &[Bytes],
    ) -> FsResult<Piece> {
        let offset = block.range.start;
        let object = builder.object();
        let block = self.sealing.push_block(builder, BlockSpec { node, offset, seq }, payload)?;
        let from = Stored { object, block, skip: 0 };
        Ok(Piece { offset, len: u64::from(block.raw_len), source: Source::Stored(from) })
    }
}
