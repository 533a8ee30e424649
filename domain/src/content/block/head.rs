//! The head of a block.

use std::ops::Range;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    BLOCK_MAGIC, BLOCK_VERSION, BlockError, BlockPlace, CHECKSUM_LEN, CODEC_NONE, FIXED_LEN, FRAME_BYTES,
    FRAME_ENTRY_LEN, frame_count, head_len, is_raw_len, raw_frame_len,
};
use crate::{
    content::FILE_BYTES_MAX,
    id::{NodeId, Sequence},
};

/// A frame as the head's table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its length as stored.
    pub stored_len: u32,
    /// XXH3-64 of its bytes as stored.
    pub checksum: u64,
}

/// The head of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// How frames are compressed.
    pub codec: u8,
    /// The key that seals them.
    pub key_id: u32,
    /// Bytes of content.
    pub raw_len: u32,
    /// The file.
    pub node: NodeId,
    /// Offset of the first byte in the file.
    pub offset: u64,
    /// The newest journal record of which a byte is in the block.
    pub seq: Sequence,
    /// The table.
    pub frames: SmallVec<[Frame; 4]>,
}

/// The frames that have a range of a block's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRun {
    /// The first frame and the one after the last.
    pub frames: Range<u32>,
    /// Where they are, counted from the start of the block's head.
    pub stored: Range<u64>,
    /// Raw bytes of the first frame that come before the range.
    pub skip: u32,
}

impl BlockHead {
    /// Reads the head at the start of `bytes`, which may go on behind it.
    ///
    /// # Errors
    /// What is wrong with it; `Short` if there are too few bytes.
    pub fn parse(bytes: &[u8]) -> Result<BlockHead, BlockError> {
        let mut fields = Fields::at_start_of(bytes);
        if fields.take()? != BLOCK_MAGIC {
            return Err(BlockError::Magic);
        }
        let version = u16::from_le_bytes(fields.take()?);
        if version != BLOCK_VERSION {
            return Err(BlockError::Version(version));
        }
        let [codec, reserved] = fields.take()?;
        let key_id = fields.u32()?;
        let raw_len = fields.u32()?;
        if !is_raw_len(raw_len) {
            return Err(BlockError::Field("raw length"));
        }
        fields.check(head_len(raw_len) as usize - CHECKSUM_LEN)?;
        let (node, offset, seq) = (NodeId(fields.u64()?), fields.u64()?, Sequence(fields.u64()?));
        let (count, zero) = (fields.u32()?, fields.u32()?);
        if reserved != 0 || zero != 0 {
            return Err(BlockError::Field("reserved bytes"));
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
        if self.codec != CODEC_NONE {
            return Err(BlockError::Codec(self.codec));
        }
        if self.key_id != 0 {
            return Err(BlockError::Key(self.key_id));
        }
        if !self.node.is_valid() || self.offset > FILE_BYTES_MAX - u64::from(self.raw_len) {
            return Err(BlockError::Field("file or offset"));
        }
        let mut frames = self.frames.iter().zip(0..);
        match frames.find(|(frame, index)| frame.stored_len != raw_frame_len(self.raw_len, *index)) {
            Some((_, index)) => Err(BlockError::Frame(index)),
            None => Ok(()),
        }
    }

    /// The head as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FIXED_LEN + FRAME_ENTRY_LEN * self.frames.len() + CHECKSUM_LEN);
        out.extend_from_slice(&BLOCK_MAGIC);
        out.extend_from_slice(&BLOCK_VERSION.to_le_bytes());
        out.extend_from_slice(&[self.codec, 0]);
        out.extend_from_slice(&self.key_id.to_le_bytes());
        out.extend_from_slice(&self.raw_len.to_le_bytes());
        out.extend_from_slice(&self.node.0.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.seq.0.to_le_bytes());
        out.extend_from_slice(&(self.frames.len() as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for frame in &self.frames {
            out.extend_from_slice(&frame.stored_len.to_le_bytes());
            out.extend_from_slice(&frame.checksum.to_le_bytes());
        }
        let checksum = xxh3_64(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
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

    /// The frames that have a range of the content; none if the range is empty or reaches beyond.
    pub fn frames_of(&self, range: Range<u32>) -> Option<FrameRun> {
        if range.is_empty() || range.end > self.raw_len {
            return None;
        }
        let frames = range.start / FRAME_BYTES..range.end.div_ceil(FRAME_BYTES);
        let len = |frames: &[Frame]| frames.iter().map(|frame| u64::from(frame.stored_len)).sum::<u64>();
        let before = len(self.frames.get(..frames.start as usize)?);
        let inside = len(self.frames.get(frames.start as usize..frames.end as usize)?);
        let start = u64::from(head_len(self.raw_len)) + before;
        Some(FrameRun { skip: range.start % FRAME_BYTES, stored: start..start + inside, frames })
    }

    /// Checks a frame's bytes as stored.
    ///
    /// # Errors
    /// `Frame` if they are not what was written, or there is no such frame.
    pub fn verify(&self, index: u32, stored: &[u8]) -> Result<(), BlockError> {
        let frame = self.frames.get(index as usize).ok_or(BlockError::Frame(index))?;
        if stored.len() != frame.stored_len as usize || xxh3_64(stored) != frame.checksum {
            return Err(BlockError::Frame(index));
        }
        Ok(())
    }
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

    /// Checks that the XXH3-64 of the first `len` bytes follows them.
    pub(in crate::content) fn check(&self, len: usize) -> Result<(), BlockError> {
        let short = BlockError::Short { needed: (len + CHECKSUM_LEN) as u64, found: self.all.len() as u64 };
        let (head, rest) = self.all.split_at_checked(len).ok_or(short)?;
        let (checksum, _) = rest.split_first_chunk::<CHECKSUM_LEN>().ok_or(short)?;
        if xxh3_64(head) != u64::from_le_bytes(*checksum) {
            return Err(BlockError::HeadChecksum);
        }
        Ok(())
    }
}
