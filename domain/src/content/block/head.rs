//! The head of a block.

use smallvec::SmallVec;

use super::{
    BLOCK_MAGIC, BLOCK_VERSION, BLOCK_VERSION_FINGERPRINT, BlockError, BlockPlace, CHECKSUM_LEN, CODEC_NONE, FIXED_LEN,
    FRAME_ENTRY_LEN, Frame, frame_count, head_len, is_codec, is_raw_len, raw_frame_len,
};
use crate::{
    content::{FILE_BYTES_MAX, checksum},
    id::{KeyId, NodeId, ObjectId, Sequence},
};

/// The head of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// How frames are compressed that are shorter than their content; the others are stored as they are.
    pub codec: u8,
    /// The key that seals them, if any does.
    pub key_id: KeyId,
    /// Bytes of content.
    pub raw_len: u32,
    /// The file.
    pub node: NodeId,
    /// Offset of the first byte in the file.
    pub offset: u64,
    /// The newest journal record that has a byte in the block.
    pub seq: Sequence,
    /// The table.
    pub frames: SmallVec<[Frame; 4]>,
}

impl BlockHead {
    /// Reads the head of a block that is in no object yet. `bytes` start with the head and may go on behind it.
    ///
    /// # Errors
    /// The reason why the head is not valid; `Short` if there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<BlockHead, BlockError> {
        BlockHead::parse_marked(bytes, 0)
    }

    /// Reads the head of the block that starts at an offset of an object. Refuses the head of another object or another
    /// offset, whatever its lengths: a store may answer with bytes that were not asked for.
    ///
    /// # Errors
    /// The reason why the head is not valid; `Short` if there are too few bytes.
    pub fn parse_in(bytes: &[u8], object: ObjectId, at: u64) -> Result<BlockHead, BlockError> {
        BlockHead::parse_marked(bytes, mark(object, at))
    }

    fn parse_marked(bytes: &[u8], mark: u64) -> Result<BlockHead, BlockError> {
        let mut fields = Fields::at_start_of(bytes);
        if fields.take()? != BLOCK_MAGIC {
            return Err(BlockError::Magic);
        }
        let version = u16::from_le_bytes(fields.take()?);
        if !matches!(version, BLOCK_VERSION | BLOCK_VERSION_FINGERPRINT) {
            return Err(BlockError::Version(version));
        }
        let [codec, reserved] = fields.take()?;
        let key_low = fields.u32()?;
        let raw_len = fields.u32()?;
        if !is_raw_len(raw_len) {
            return Err(BlockError::Field("raw length"));
        }
        fields.check(head_len(raw_len) as usize - CHECKSUM_LEN, mark)?;
        let (node, offset, seq) = (NodeId(fields.u64()?), fields.u64()?, Sequence(fields.u64()?));
        let (count, key_high) = (fields.u32()?, fields.u32()?);
        let key_id = KeyId(u64::from(key_high) << 32 | u64::from(key_low));
        if reserved != 0 || version == BLOCK_VERSION && key_high != 0 {
            return Err(BlockError::Field("reserved bytes"));
        }
        if version == BLOCK_VERSION_FINGERPRINT && !key_id.is_fingerprint() {
            return Err(BlockError::Field("key"));
        }
        if count != frame_count(raw_len) {
            return Err(BlockError::Field("number of frames"));
        }
        let mut frames = SmallVec::with_capacity(count as usize);
        for _ in 0..count {
            frames.push(Frame { stored_len: fields.u32()?, checksum: fields.u64()? });
        }
        let head = BlockHead { codec, key_id, raw_len, node, offset, seq, frames };
        head.validate()?;
        Ok(head)
    }

    fn validate(&self) -> Result<(), BlockError> {
        if !is_codec(self.codec) {
            return Err(BlockError::Codec(self.codec));
        }
        if !self.node.is_valid() || self.offset > FILE_BYTES_MAX - u64::from(self.raw_len) {
            return Err(BlockError::Field("file or offset"));
        }
        let sealed = self.seal_len();
        let mut frames = self.frames.iter().zip(0..);
        let is_bad = |frame: &Frame, raw_len: u32| match self.codec {
            CODEC_NONE => frame.stored_len != raw_len + sealed,
            _ => !(1 + sealed..=raw_len + sealed).contains(&frame.stored_len),
        };
        match frames.find(|(frame, index)| is_bad(frame, raw_frame_len(self.raw_len, *index))) {
            Some((_, index)) => Err(BlockError::Frame(index)),
            None => Ok(()),
        }
    }

    /// The head as bytes, of a block that is in no object yet.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_marked(0)
    }

    /// The head as bytes, of the block that starts at an offset of an object.
    pub fn encode_in(&self, object: ObjectId, at: u64) -> Vec<u8> {
        self.encode_marked(mark(object, at))
    }

    fn encode_marked(&self, mark: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + FRAME_ENTRY_LEN * self.frames.len() + CHECKSUM_LEN);
        out.extend_from_slice(&self.fixed());
        for frame in &self.frames {
            out.extend_from_slice(&frame.stored_len.to_le_bytes());
            out.extend_from_slice(&frame.checksum.to_le_bytes());
        }
        let checksum = checksum(&out) ^ mark;
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// The fields before the table.
    pub(super) fn fixed(&self) -> [u8; FIXED_LEN] {
        let mut out = [0; FIXED_LEN];
        out[..4].copy_from_slice(&BLOCK_MAGIC);
        let key_id = self.key_id.0.to_le_bytes();
        let version = if self.key_id.is_fingerprint() { BLOCK_VERSION_FINGERPRINT } else { BLOCK_VERSION };
        out[4..6].copy_from_slice(&version.to_le_bytes());
        out[6] = self.codec;
        out[8..12].copy_from_slice(&key_id[..4]);
        out[12..16].copy_from_slice(&self.raw_len.to_le_bytes());
        out[16..24].copy_from_slice(&self.node.0.to_le_bytes());
        out[24..32].copy_from_slice(&self.offset.to_le_bytes());
        out[32..40].copy_from_slice(&self.seq.0.to_le_bytes());
        out[40..44].copy_from_slice(&frame_count(self.raw_len).to_le_bytes());
        out[44..].copy_from_slice(&key_id[4..]);
        out
    }

    /// Length of the whole block as stored.
    pub fn stored_len(&self) -> u32 {
        head_len(self.raw_len) + self.frames.iter().map(|frame| frame.stored_len).sum::<u32>()
    }

    /// Whether it is the head of the block that an extent means.
    ///
    /// # Errors
    /// `Field` names what differs: the bytes belong to another block.
    pub fn check_place(&self, place: &BlockPlace) -> Result<(), BlockError> {
        match self {
            _ if self.raw_len != place.raw_len => Err(BlockError::Field("raw length")),
            _ if self.codec != place.codec => Err(BlockError::Field("codec")),
            _ if self.key_id != place.key_id => Err(BlockError::Field("key")),
            _ if self.stored_len() != place.stored_len => Err(BlockError::Field("stored length")),
            _ => Ok(()),
        }
    }
}

/// Returns the number that the checksum of a block's head is combined with. It binds the head to its place.
fn mark(object: ObjectId, at: u64) -> u64 {
    let mut place = [0; 24];
    place[..16].copy_from_slice(&object.0.to_le_bytes());
    place[16..].copy_from_slice(&at.to_le_bytes());
    checksum(&place)
}

/// Fields of a head, read in order. Never looks behind the end.
pub(in crate::content) struct Fields<'a> {
    all: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(in crate::content) fn at_start_of(all: &'a [u8]) -> Fields<'a> {
        Fields { all, rest: all }
    }

    pub(in crate::content) fn take<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let found = self.all.len() as u64;
        let needed = found - self.rest.len() as u64 + N as u64;
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(BlockError::Short { needed, found })?;
        self.rest = rest;
        Ok(*field)
    }

    pub(in crate::content) fn u32(&mut self) -> Result<u32, BlockError> {
        self.take().map(u32::from_le_bytes)
    }

    pub(in crate::content) fn u64(&mut self) -> Result<u64, BlockError> {
        self.take().map(u64::from_le_bytes)
    }

    /// Checks that the checksum of the first `len` bytes, combined with the mark of a place, follows them.
    pub(in crate::content) fn check(&self, len: usize, mark: u64) -> Result<(), BlockError> {
        let short = BlockError::Short { needed: (len + CHECKSUM_LEN) as u64, found: self.all.len() as u64 };
        let (head, rest) = self.all.split_at_checked(len).ok_or(short)?;
        let (written, _) = rest.split_first_chunk::<CHECKSUM_LEN>().ok_or(short)?;
        if checksum(head) ^ mark != u64::from_le_bytes(*written) {
            return Err(BlockError::HeadChecksum);
        }
        Ok(())
    }
}
