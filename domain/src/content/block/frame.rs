//! Frames of a block, as a reader finds, checks and opens them.

use std::ops::Range;

use super::{BlockError, BlockHead, CODEC_NONE, FRAME_BYTES, head_len, raw_frame_len};
use crate::content::checksum;

/// A frame as the head's table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its length as stored.
    pub stored_len: u32,
    /// Of its bytes as stored: [`checksum`].
    pub checksum: u64,
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

/// Where a frame is, and what to do with its bytes once [`BlockHead::verify`] has passed them and, where the block has
/// a key, they were opened ([`BlockHead::frame_seal`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFrame {
    /// Its number in the block.
    pub index: u32,
    /// Where it is, counted from the start of the block's head.
    pub stored: Range<u64>,
    /// Bytes of content in it: at most [`FRAME_BYTES`].
    pub raw_len: u32,
    /// How this frame is compressed: [`CODEC_NONE`] if what is stored, opened where it is sealed, is its content.
    pub codec: u8,
}

impl StoredFrame {
    /// Its length as stored.
    pub fn stored_len(&self) -> usize {
        (self.stored.end - self.stored.start) as usize
    }
}

impl BlockHead {
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

    /// The frames of a run, in order; their stored bytes follow each other.
    pub fn stored_frames(&self, run: &FrameRun) -> impl Iterator<Item = StoredFrame> + use<'_> {
        let mut at = run.stored.start;
        let numbers = run.frames.clone();
        let frames = self.frames.iter().skip(numbers.start as usize);
        numbers.zip(frames).map(move |(index, frame)| {
            let stored = at..at + u64::from(frame.stored_len);
            at = stored.end;
            let raw_len = raw_frame_len(self.raw_len, index);
            StoredFrame { index, stored, raw_len, codec: self.frame_codec(frame, raw_len) }
        })
    }

    /// A frame that is as long as its content, seal apart, is its content.
    fn frame_codec(&self, frame: &Frame, raw_len: u32) -> u8 {
        if frame.stored_len == raw_len + self.seal_len() { CODEC_NONE } else { self.codec }
    }

    /// Checks a frame's bytes as stored.
    ///
    /// # Errors
    /// `Frame` if they are not what was written, or there is no such frame.
    pub fn verify(&self, index: u32, stored: &[u8]) -> Result<(), BlockError> {
        let frame = self.frames.get(index as usize).ok_or(BlockError::Frame(index))?;
        if stored.len() != frame.stored_len as usize || checksum(stored) != frame.checksum {
            return Err(BlockError::Frame(index));
        }
        Ok(())
    }
}
