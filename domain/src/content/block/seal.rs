//! Sealed frames: encrypted, and bound to their place, so that the operator of the content store can neither read nor
//! alter them.
//!
//! A sealed frame is a nonce (12 bytes), the ciphertext and a tag (16). The plaintext is the frame as it would be
//! stored without a key: compressed, or the content itself. The ciphertext is as long as the plaintext. This module
//! does not know how frames are sealed: its callers give it functions, as for compression.

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    BlockError, BlockHead, BlockSpec, BuiltBlock, CODEC_NONE, FIXED_LEN, Frame, FrameEncoder,
    build::checked_len,
    encode::{EncodedFrames, head},
    is_codec,
};
use crate::{
    content::checksum,
    id::{KeyId, ObjectId},
};

/// Bytes of a nonce, with which a sealed frame begins.
pub const NONCE_BYTES: u32 = 12;
/// Bytes of a tag, with which it ends.
pub const TAG_BYTES: u32 = 16;
/// Bytes by which a sealed frame is longer than its plaintext.
pub const SEAL_BYTES: u32 = NONCE_BYTES + TAG_BYTES;

const BOUND_LEN: usize = 16 + 8 + 4 + FIXED_LEN;

/// The place that a sealed frame is bound to: it opens as this frame of this block at this place, and as no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSeal {
    /// The object that the block is in. Each has a key of its own, derived from the one below.
    pub object: ObjectId,
    /// The key; never none.
    pub key_id: KeyId,
    bound: [u8; BOUND_LEN],
}

impl FrameSeal {
    /// The associated data: the object's id (16), the block's offset in it (8), the frame's number (4), all
    /// little-endian, and the first 48 bytes of the block's head.
    pub fn associated_data(&self) -> &[u8] {
        &self.bound
    }
}

/// Seals frames.
pub struct FrameSealing<'a> {
    /// The key, as the head of a block says it; not none.
    pub key_id: KeyId,
    /// Seals a frame, which comes in pieces; `None` if the key is no longer there.
    pub seal: &'a mut dyn FnMut(&FrameSeal, &[Bytes]) -> Option<Bytes>,
}

impl BlockHead {
    /// Returns the place that a frame of this block is bound to. `object` is the object that holds the block, `at` the
    /// offset where the block starts in it.
    pub fn frame_seal(&self, object: ObjectId, at: u64, index: u32) -> FrameSeal {
        let mut bound = [0; BOUND_LEN];
        bound[..16].copy_from_slice(&object.0.to_le_bytes());
        bound[16..24].copy_from_slice(&at.to_le_bytes());
        bound[24..28].copy_from_slice(&index.to_le_bytes());
        bound[28..].copy_from_slice(&self.fixed());
        FrameSeal { object, key_id: self.key_id, bound }
    }

    /// So much longer than without a key is each frame.
    pub(super) fn seal_len(&self) -> u32 {
        if self.key_id.is_none() { 0 } else { SEAL_BYTES }
    }
}

/// Makes a block like [`build_encoded`](super::build_encoded), with each frame sealed after it was compressed. It opens
/// only in this object, and only at this offset of it.
///
/// # Errors
/// Those of [`build_encoded`](super::build_encoded), `Key` where the key is gone, and `Field` where there is none or
/// what was sealed has not the length that it must have.
pub fn build_sealed(
    spec: BlockSpec,
    payload: &[Bytes],
    encoder: FrameEncoder<'_>,
    (object, at): (ObjectId, u64),
    sealing: FrameSealing<'_>,
) -> Result<BuiltBlock, BlockError> {
    let (codec, FrameSealing { key_id, seal }) = (encoder.codec, sealing);
    if !is_codec(codec) {
        return Err(BlockError::Codec(codec));
    }
    if key_id.is_none() || !key_id.is_possible() {
        return Err(BlockError::Field("key"));
    }
    let raw_len = checked_len(spec, payload)?;
    let mut shrunk = false;
    let mut contents: Vec<SmallVec<[Bytes; 4]>> = Vec::new();
    for frame in EncodedFrames::new(payload, encoder) {
        shrunk |= frame.shrunk;
        contents.push(frame.pieces);
    }
    let codec = if shrunk { codec } else { CODEC_NONE };
    // Frames are bound to the head, so all of it that they are bound to is settled before the first is sealed.
    let mut head = BlockHead { key_id, ..head(spec, codec, raw_len, SmallVec::with_capacity(contents.len())) };
    let mut segments = Vec::with_capacity(contents.len());
    for (content, index) in contents.iter().zip(0..) {
        let sealed = seal(&head.frame_seal(object, at, index), content).ok_or(BlockError::Key(key_id))?;
        let len = content.iter().map(Bytes::len).sum::<usize>();
        if sealed.len() != len + SEAL_BYTES as usize {
            return Err(BlockError::Field("sealed length"));
        }
        head.frames.push(Frame { stored_len: sealed.len() as u32, checksum: checksum(&sealed) });
        segments.push(sealed);
    }
    Ok(BuiltBlock::of(head, segments))
}
