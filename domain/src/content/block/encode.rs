//! Making blocks whose frames are compressed where it pays.

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    BlockError, BlockHead, BlockSpec, BuiltBlock, CODEC_NONE, FRAME_BYTES, Frame, build, build::checked_len,
    frame_count, is_codec,
};
use crate::{content::checksum::Checksum, id::KeyId};

/// The number of frames in a row that may fail to shrink before some are not tried. Data that compresses well has
/// single frames that do not shrink, too.
const MISSES_MAX: u32 = 2;
/// The number of frames that are then not tried. The time for data that does not shrink falls to an eighth, and data
/// that shrinks again is found within 256 KiB.
const UNTRIED_FRAMES: u32 = 7;

/// Compresses frames.
pub struct FrameEncoder<'a> {
    /// The codec that compresses the frames, as the head of a block names it.
    pub codec: u8,
    /// Compresses a frame, which has 1 to [`FRAME_BYTES`] bytes; `None` leaves it as it is.
    pub encode: &'a mut dyn FnMut(&[u8]) -> Option<Bytes>,
}

/// Makes a block like [`build`](super::build), with its frames compressed where that saves an eighth.
///
/// - A frame that does not shrink is stored as it is and not copied; after a few of those only every eighth is tried,
///   until one shrinks.
/// - A block in which no frame shrinks is the same as one made without a codec.
///
/// # Errors
/// Those of [`build`](super::build), and `Codec` if no reader would know the codec.
pub fn build_encoded(spec: BlockSpec, payload: &[Bytes], encoder: FrameEncoder<'_>) -> Result<BuiltBlock, BlockError> {
    let FrameEncoder { codec, encode } = encoder;
    if !is_codec(codec) {
        return Err(BlockError::Codec(codec));
    }
    let raw_len = checked_len(spec, payload)?;
    if codec == CODEC_NONE {
        return build(spec, payload);
    }
    let mut out = Encoded { frames: SmallVec::with_capacity(frame_count(raw_len) as usize), segments: Vec::new() };
    let mut shrunk = false;
    for frame in EncodedFrames::new(payload, FrameEncoder { codec, encode }) {
        shrunk |= frame.shrunk;
        out.push(frame.pieces);
    }
    if !shrunk {
        let head = head(spec, CODEC_NONE, raw_len, out.frames);
        return Ok(BuiltBlock::of(head, payload.iter().filter(|piece| !piece.is_empty()).cloned()));
    }
    Ok(BuiltBlock::of(head(spec, codec, raw_len, out.frames), out.segments))
}

pub(super) fn head(spec: BlockSpec, codec: u8, raw_len: u32, frames: SmallVec<[Frame; 4]>) -> BlockHead {
    let BlockSpec { node, offset, seq } = spec;
    BlockHead { codec, key_id: KeyId::NONE, raw_len, node, offset, seq, frames }
}

/// Frames of a payload, one after another, each compressed where that pays.
pub(super) struct EncodedFrames<'a, 'e> {
    pieces: Pieces<'a>,
    encoder: FrameEncoder<'e>,
    trial: Trial,
    scratch: Vec<u8>,
}

/// A frame as it would be stored without a key.
pub(super) struct EncodedFrame {
    pub(super) pieces: SmallVec<[Bytes; 4]>,
    /// Whether it is compressed.
    pub(super) shrunk: bool,
}

impl<'a, 'e> EncodedFrames<'a, 'e> {
    pub(super) fn new(payload: &'a [Bytes], encoder: FrameEncoder<'e>) -> EncodedFrames<'a, 'e> {
        EncodedFrames { pieces: Pieces { payload, taken: 0 }, encoder, trial: Trial::default(), scratch: Vec::new() }
    }
}

impl Iterator for EncodedFrames<'_, '_> {
    type Item = EncodedFrame;

    fn next(&mut self) -> Option<EncodedFrame> {
        let frame = self.pieces.next_frame()?;
        if self.encoder.codec == CODEC_NONE {
            return Some(EncodedFrame { pieces: frame, shrunk: false });
        }
        let is_due = self.trial.is_due();
        let encoded = if is_due { shrink(&frame, &mut self.scratch, self.encoder.encode) } else { None };
        self.trial.note(encoded.is_some());
        Some(match encoded {
            Some(encoded) => EncodedFrame { pieces: SmallVec::from_iter([encoded]), shrunk: true },
            None => EncodedFrame { pieces: frame, shrunk: false },
        })
    }
}

/// A frame that came out at least an eighth shorter.
fn shrink(frame: &[Bytes], scratch: &mut Vec<u8>, encode: &mut dyn FnMut(&[u8]) -> Option<Bytes>) -> Option<Bytes> {
    let whole: &[u8] = match frame {
        [piece] => piece,
        pieces => {
            scratch.clear();
            pieces.iter().for_each(|piece| scratch.extend_from_slice(piece));
            scratch
        }
    };
    let worth = whole.len() - whole.len().div_ceil(8);
    encode(whole).filter(|encoded| (1..=worth).contains(&encoded.len()))
}

/// Which frames are tried.
#[derive(Default)]
struct Trial {
    misses: u32,
    untried: u32,
}

impl Trial {
    fn is_due(&self) -> bool {
        self.untried == 0
    }

    fn note(&mut self, shrunk: bool) {
        if self.untried > 0 {
            self.untried -= 1;
        } else if shrunk {
            self.misses = 0;
        } else {
            self.misses += 1;
            self.untried = if self.misses >= MISSES_MAX { UNTRIED_FRAMES } else { 0 };
        }
    }
}

struct Encoded {
    frames: SmallVec<[Frame; 4]>,
    segments: Vec<Bytes>,
}

impl Encoded {
    fn push(&mut self, pieces: SmallVec<[Bytes; 4]>) {
        let mut sum = Checksum::new();
        pieces.iter().for_each(|piece| sum.update(piece));
        let stored_len = pieces.iter().map(|piece| piece.len() as u32).sum();
        self.frames.push(Frame { stored_len, checksum: sum.finish() });
        self.segments.extend(pieces);
    }
}

/// Payload, taken frame by frame.
struct Pieces<'a> {
    payload: &'a [Bytes],
    /// Bytes of the first piece that were taken.
    taken: usize,
}

impl Pieces<'_> {
    fn next_frame(&mut self) -> Option<SmallVec<[Bytes; 4]>> {
        let mut frame = SmallVec::new();
        let mut left = FRAME_BYTES as usize;
        while left > 0
            && let Some((first, rest)) = self.payload.split_first()
        {
            let end = first.len().min(self.taken + left);
            if end > self.taken {
                frame.push(first.slice(self.taken..end));
                left -= end - self.taken;
            }
            self.taken = end;
            if end == first.len() {
                (self.payload, self.taken) = (rest, 0);
            }
        }
        (!frame.is_empty()).then_some(frame)
    }
}
