//! Objects: blocks of one or many files, put into a content store as one immutable thing.
//!
//! # Layout, version 1
//!
//! All numbers are little-endian.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic, `DFOB` |
//! | 4 | 2 | format version: 2 |
//! | 6 | 2 | 0 |
//! | 8 | 16 | object id |
//! | 24 | 8 | share |
//! | 32 | 8 | epoch of who wrote it |
//! | 40 | 8 | length of the object |
//! | 48 | 4 | number of blocks |
//! | 52 | 4 | 0 |
//! | 56 | 8 | CRC-64/NVME of the bytes before |
//! | 64 | | [blocks](super::block), each at a multiple of 16, with zeros in between |
//!
//! There is no index: a block's head says how long the block is, so the heads can be walked from the first to the last
//! ([`scan`]), which is needed only where the metadata is lost. A reader of a file knows each block's place.

use std::ops::Range;

use bytes::Bytes;

use super::{
    BlockPlace,
    block::{BlockError, BlockHead, BlockSpec, BuiltBlock, Fields, FrameEncoder, FrameSealing, build_sealed},
    checksum,
};
use crate::{
    id::{Epoch, ObjectId, PlaceId, ShareId},
    plan::{ObjectRecord, ObjectState},
};

/// The first bytes of an object.
pub const OBJECT_MAGIC: [u8; 4] = *b"DFOB";
/// The format that is written.
pub const OBJECT_VERSION: u16 = 2;
/// Length of an object's head.
pub const OBJECT_HEAD_LEN: u64 = 64;
/// Blocks start at multiples of this.
pub const BLOCK_ALIGNMENT: u64 = 16;

const CHECKSUM_AT: usize = 56;
static PADDING: [u8; BLOCK_ALIGNMENT as usize] = [0; BLOCK_ALIGNMENT as usize];

/// The ranges of an object of this length in which none of the blocks lies that something refers to, in order. Its head
/// stays.
pub fn dead_ranges(bytes: u64, living: impl IntoIterator<Item = BlockPlace>) -> Vec<Range<u64>> {
    let mut blocks: Vec<Range<u64>> =
        living.into_iter().map(|block| block.at..block.at.saturating_add(block.stored_len.into())).collect();
    blocks.sort_unstable_by_key(|block| block.start);
    let (mut dead, mut at) = (Vec::new(), OBJECT_HEAD_LEN);
    for block in blocks.into_iter().chain(std::iter::once(bytes..bytes)) {
        if block.start > at {
            dead.push(at..block.start.min(bytes));
        }
        at = at.max(block.end);
    }
    dead
}

/// The head of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its id.
    pub object: ObjectId,
    /// The share that it belongs to.
    pub share: ShareId,
    /// The epoch of who wrote it.
    pub epoch: Epoch,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many blocks are in it.
    pub blocks: u32,
}

impl ObjectHead {
    /// Reads the head at the start of `bytes`, which may go on behind it.
    ///
    /// # Errors
    /// The reason why the head is not valid; `Short` if there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<ObjectHead, BlockError> {
        let mut fields = Fields::at_start_of(bytes);
        if fields.take()? != OBJECT_MAGIC {
            return Err(BlockError::Magic);
        }
        let version = u16::from_le_bytes(fields.take()?);
        if version != OBJECT_VERSION {
            return Err(BlockError::Version(version));
        }
        fields.check(CHECKSUM_AT, 0)?;
        let reserved = u16::from_le_bytes(fields.take()?);
        let object = ObjectId(u128::from_le_bytes(fields.take()?));
        let (share, epoch, bytes) = (ShareId(fields.u64()?), Epoch(fields.u64()?), fields.u64()?);
        let (blocks, zero) = (fields.u32()?, fields.u32()?);
        if reserved != 0 || zero != 0 {
            return Err(BlockError::Field("reserved bytes"));
        }
        Ok(ObjectHead { object, share, epoch, bytes, blocks })
    }

    /// The head as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(OBJECT_HEAD_LEN as usize);
        out.extend_from_slice(&OBJECT_MAGIC);
        out.extend_from_slice(&OBJECT_VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.object.0.to_le_bytes());
        out.extend_from_slice(&self.share.0.to_le_bytes());
        out.extend_from_slice(&self.epoch.0.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.blocks.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        let checksum = checksum(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }
}

/// Puts blocks one after another. Payload is not copied.
#[derive(Debug)]
pub struct ObjectBuilder {
    head: ObjectHead,
    segments: Vec<Bytes>,
}

impl ObjectBuilder {
    /// An object without blocks yet.
    pub fn new(object: ObjectId, share: ShareId, epoch: Epoch) -> ObjectBuilder {
        let head = ObjectHead { object, share, epoch, bytes: OBJECT_HEAD_LEN, blocks: 0 };
        ObjectBuilder { head, segments: vec![Bytes::new()] }
    }

    /// Adds a block and answers its place.
    pub fn push(&mut self, block: BuiltBlock) -> BlockPlace {
        let at = next_block(self.head.bytes);
        let padding = (at - self.head.bytes) as usize;
        if padding > 0 {
            self.segments.push(Bytes::from_static(&PADDING).slice(..padding));
        }
        let place = block.place(at);
        self.segments.push(Bytes::from(block.head.encode_in(self.head.object, at)));
        self.segments.extend(block.segments.into_iter().skip(1));
        self.head.bytes = at + u64::from(place.stored_len);
        self.head.blocks += 1;
        place
    }

    /// Makes a block of sealed frames for the place that comes next, adds it and answers its place.
    ///
    /// # Errors
    /// Those of [`build_sealed`].
    pub fn push_sealed(
        &mut self,
        spec: BlockSpec,
        payload: &[Bytes],
        encoder: FrameEncoder<'_>,
        sealing: FrameSealing<'_>,
    ) -> Result<BlockPlace, BlockError> {
        let place = (self.head.object, next_block(self.head.bytes));
        Ok(self.push(build_sealed(spec, payload, encoder, place, sealing)?))
    }

    /// Its length so far.
    pub fn bytes(&self) -> u64 {
        self.head.bytes
    }

    /// Its id.
    pub fn object(&self) -> ObjectId {
        self.head.object
    }

    /// Its row in a state, in the content store that the share was made with.
    pub fn record(&self, state: ObjectState) -> ObjectRecord {
        let ObjectHead { object: id, epoch: owner, bytes, .. } = self.head;
        ObjectRecord { id, state, owner, bytes, place: PlaceId::HOME }
    }

    /// All of it, in order.
    pub fn finish(mut self) -> Vec<Bytes> {
        if let Some(first) = self.segments.first_mut() {
            *first = Bytes::from(self.head.encode());
        }
        self.segments
    }
}

/// Where the next block starts if the one before ends at an offset.
pub fn next_block(end: u64) -> u64 {
    end.next_multiple_of(BLOCK_ALIGNMENT)
}

/// Reads an object without metadata: its head, and the offset and head of each block.
///
/// # Errors
/// The error of the first damaged head; `Field` if the object's length or number of blocks is not what its head says.
pub fn scan(bytes: &[u8]) -> Result<(ObjectHead, Vec<(u64, BlockHead)>), BlockError> {
    let head = ObjectHead::parse(bytes)?;
    if head.bytes != bytes.len() as u64 {
        return Err(BlockError::Field("object length"));
    }
    let mut blocks = Vec::new();
    let mut end = OBJECT_HEAD_LEN;
    while end < head.bytes {
        let at = next_block(end);
        let block = BlockHead::parse_in(bytes.get(at as usize..).unwrap_or_default(), head.object, at)?;
        end = at + u64::from(block.stored_len());
        blocks.push((at, block));
    }
    if end != head.bytes || blocks.len() as u64 != u64::from(head.blocks) {
        return Err(BlockError::Field("number of blocks"));
    }
    Ok((head, blocks))
}

#[cfg(test)]
mod tests;
