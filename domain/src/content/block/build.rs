//! Making blocks from pieces of payload, which are not copied.

use bytes::Bytes;
use smallvec::SmallVec;

use super::{BlockError, BlockHead, BlockPlace, CODEC_NONE, FRAME_BYTES, Frame, frame_count, is_raw_len};
use crate::{
    content::{FILE_BYTES_MAX, checksum::Checksum},
    id::{KeyId, NodeId, Sequence},
};

/// The bytes that a block is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSpec {
    /// The file.
    pub node: NodeId,
    /// Offset of the first byte in the file.
    pub offset: u64,
    /// The newest journal record that has a byte in the block.
    pub seq: Sequence,
}

/// A block, ready to be put into an object.
#[derive(Clone, Debug)]
pub struct BuiltBlock {
    /// Its head.
    pub head: BlockHead,
    /// All of it: the head, then the frames; what is not compressed in the pieces that it came in.
    pub segments: Vec<Bytes>,
}

impl BuiltBlock {
    pub(super) fn of(head: BlockHead, frames: impl IntoIterator<Item = Bytes>) -> BuiltBlock {
        let mut segments = vec![Bytes::from(head.encode())];
        segments.extend(frames);
        BuiltBlock { head, segments }
    }

    /// Its place in an object in which it starts at an offset.
    pub fn place(&self, at: u64) -> BlockPlace {
        let BlockHead { raw_len, codec, key_id, .. } = self.head;
        BlockPlace { at, stored_len: self.head.stored_len(), raw_len, codec, key_id }
    }
}

/// Makes a block of consecutive pieces of payload. Frames may span several pieces.
///
/// # Errors
/// `Field` if the payload is empty or too long, or is not inside a file.
pub fn build(spec: BlockSpec, payload: &[Bytes]) -> Result<BuiltBlock, BlockError> {
    let raw_len = checked_len(spec, payload)?;
    let BlockSpec { node, offset, seq } = spec;
    let frames = frames_of(payload, raw_len);
    let head = BlockHead { codec: CODEC_NONE, key_id: KeyId::NONE, raw_len, node, offset, seq, frames };
    Ok(BuiltBlock::of(head, payload.iter().filter(|piece| !piece.is_empty()).cloned()))
}

/// The length of a payload that can be a block.
pub(super) fn checked_len(spec: BlockSpec, payload: &[Bytes]) -> Result<u32, BlockError> {
    let raw_len = payload.iter().map(|piece| piece.len() as u64).sum::<u64>();
    let raw_len = u32::try_from(raw_len).ok().filter(|len| is_raw_len(*len)).ok_or(BlockError::Field("raw length"))?;
    if !spec.node.is_valid() || spec.offset > FILE_BYTES_MAX - u64::from(raw_len) {
        return Err(BlockError::Field("file or offset"));
    }
    Ok(raw_len)
}

fn frames_of(payload: &[Bytes], raw_len: u32) -> SmallVec<[Frame; 4]> {
    let mut frames = SmallVec::with_capacity(frame_count(raw_len) as usize);
    let mut sum = Checksum::new();
    let mut stored_len = 0u32;
    for piece in payload {
        let mut rest: &[u8] = piece;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min((FRAME_BYTES - stored_len) as usize));
            sum.update(now);
            stored_len += now.len() as u32;
            rest = later;
            if stored_len == FRAME_BYTES {
                frames.push(Frame { stored_len, checksum: sum.finish() });
                stored_len = 0;
            }
        }
    }
    if stored_len > 0 {
        frames.push(Frame { stored_len, checksum: sum.finish() });
    }
    frames
}
