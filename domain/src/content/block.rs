//! Blocks: the self-describing form in which a file's bytes lie in an object.
//!
//! A block holds up to 4 MiB of consecutive bytes of one file, in *frames* of 32 KiB (the last one may be shorter).
//! Each frame has a checksum of its own, so that a random read fetches and checks frames, not the block. The head names
//! the file and the offset of the bytes, so that an object can be read without any metadata.
//!
//! # Layout, versions 2 and 3
//!
//! All numbers are little-endian. `n` is the number of frames, `ceil(raw_len / 32768)`, from 1 to 128.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic, `DFBK` |
//! | 4 | 2 | format version: 3 where a fingerprint names the key, else 2 |
//! | 6 | 1 | codec of the frames: 0 none, 1 zstd |
//! | 7 | 1 | 0 |
//! | 8 | 4 | key that seals the frames: 0 none, they are not sealed; in version 3 the low half of its fingerprint |
//! | 12 | 4 | `raw_len`: bytes of content, from 1 to 4,194,304 |
//! | 16 | 8 | node |
//! | 24 | 8 | offset of the first byte in the file |
//! | 32 | 8 | the newest journal record that has a byte in the block: without metadata, the greater number wins |
//! | 40 | 4 | `n` |
//! | 44 | 4 | 0; in version 3 the high half of the key's fingerprint |
//! | 48 | 12 n | table: for each frame its stored length (4) and the CRC-64/NVME of the frame as stored (8) |
//! | 48 + 12 n | 8 | CRC-64/NVME of all bytes of the head before this one, XOR that of its place: the object's id (16) and the block's offset in it (8) |
//! | 56 + 12 n | | the frames as stored, one after another |
//!
//! A frame whose stored length is that of its content is stored as it is, whatever the codec; a shorter one is
//! compressed with the codec, and with codec 0 there is none. So frames that compression would not make smaller cost
//! nothing, and there is no second mark that could say something else. Checksums are those of the stored bytes: damage
//! is found before anything is decompressed. The length of the head follows from `raw_len` alone ([`head_len`]), so a
//! reader that knows the block's [`BlockPlace`] can fetch exactly the head.
//!
//! With a key each frame is sealed after it was compressed, and is 28 bytes longer than said above: a nonce (12)
//! before, a tag (16) behind. It is bound to its place and to the head's first 48 bytes ([`FrameSeal`]).
//!
//! A reader refuses other versions and codecs than it knows, and can't open what a key seals that it doesn't have.

mod build;
mod encode;
mod frame;
mod head;
mod seal;

pub use build::{BlockSpec, BuiltBlock, build};
pub use encode::{FrameEncoder, build_encoded};
pub use frame::{Frame, FrameRun, StoredFrame};
pub use head::BlockHead;
pub(in crate::content) use head::Fields;
pub use seal::{FrameSeal, FrameSealing, NONCE_BYTES, SEAL_BYTES, TAG_BYTES, build_sealed};

use super::{BLOCK_BYTES_MAX, BlockPlace, FRAME_BYTES};
use crate::id::KeyId;

/// The first bytes of a block.
pub const BLOCK_MAGIC: [u8; 4] = *b"DFBK";
/// The format of blocks that are not sealed, or sealed by a key that a number names.
pub const BLOCK_VERSION: u16 = 2;
/// The format of blocks that a key seals which its fingerprint names.
pub const BLOCK_VERSION_FINGERPRINT: u16 = 3;
/// Frames are stored as they are.
pub const CODEC_NONE: u8 = 0;
/// Frames that are shorter than their content are each a frame of zstd (RFC 8878).
pub const CODEC_ZSTD: u8 = 1;

const FIXED_LEN: usize = 48;
const FRAME_ENTRY_LEN: usize = 12;
const CHECKSUM_LEN: usize = 8;

/// Why a block or an object can't be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// There are fewer bytes than the format needs here.
    #[error("{needed} bytes needed, {found} found")]
    Short {
        /// Bytes needed, from the start of what was given.
        needed: u64,
        /// Bytes given.
        found: u64,
    },
    /// It does not start as it should.
    #[error("wrong magic")]
    Magic,
    /// A format that this program does not know.
    #[error("format version {0} is not known")]
    Version(u16),
    /// A codec that this program does not know.
    #[error("codec {0} is not known")]
    Codec(u8),
    /// A key that is not there.
    #[error("key {0} is not known")]
    Key(KeyId),
    /// The head's checksum is wrong.
    #[error("the head's checksum is wrong")]
    HeadChecksum,
    /// A frame's checksum or length is wrong.
    #[error("frame {0} is damaged")]
    Frame(u32),
    /// A frame does not open: another party sealed it, it was sealed for another place, or it was altered.
    #[error("frame {0} is not what was sealed for this place")]
    Seal(u32),
    /// A field has a value that no writer writes.
    #[error("bad {0}")]
    Field(&'static str),
}

/// Frames of a block with so many raw bytes.
pub const fn frame_count(raw_len: u32) -> u32 {
    raw_len.div_ceil(FRAME_BYTES)
}

/// Length of the head of a block with so many raw bytes.
pub const fn head_len(raw_len: u32) -> u32 {
    FIXED_LEN as u32 + FRAME_ENTRY_LEN as u32 * frame_count(raw_len) + CHECKSUM_LEN as u32
}

/// Raw length of the n-th frame of a block.
const fn raw_frame_len(raw_len: u32, index: u32) -> u32 {
    let rest = raw_len.saturating_sub(index.saturating_mul(FRAME_BYTES));
    if rest < FRAME_BYTES { rest } else { FRAME_BYTES }
}

const fn is_codec(codec: u8) -> bool {
    matches!(codec, CODEC_NONE | CODEC_ZSTD)
}

fn is_raw_len(raw_len: u32) -> bool {
    (1..=BLOCK_BYTES_MAX).contains(&raw_len)
}

#[cfg(test)]
mod tests;
