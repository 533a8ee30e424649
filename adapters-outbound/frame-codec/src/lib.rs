//! Compression of frames: none, or zstd.
//!
//! Frames that were compressed once are decompressed, whatever is configured now.

mod contexts;
mod options;
mod zstd;

pub use options::{CompressionMethod, CompressionOptions};

use bytes::Bytes;
use dittofs_domain::content::{
    FRAME_BYTES,
    block::{CODEC_NONE, CODEC_ZSTD},
};
use dittofs_ports::{CodecError, FrameCodec};

use crate::zstd::Zstd;

/// The codec of frames.
pub struct Codec {
    compresses: bool,
    zstd: Zstd,
}

impl Codec {
    /// Compresses as the options say.
    pub fn new(options: &CompressionOptions) -> Codec {
        Codec { compresses: options.method == CompressionMethod::Zstd, zstd: Zstd::new(options.level.into()) }
    }

    /// Leaves every frame as it is.
    pub fn none() -> Codec {
        Codec::new(&CompressionOptions { method: CompressionMethod::None, ..CompressionOptions::default() })
    }
}

impl FrameCodec for Codec {
    fn id(&self) -> u8 {
        if self.compresses { CODEC_ZSTD } else { CODEC_NONE }
    }

    fn encode(&self, frame: &[u8]) -> Option<Bytes> {
        if self.compresses { self.zstd.compress(frame) } else { None }
    }

    fn decode(&self, codec: u8, stored: &[u8], raw_len: usize) -> Result<Bytes, CodecError> {
        if raw_len > FRAME_BYTES as usize {
            return Err(CodecError::Damaged);
        }
        match codec {
            CODEC_NONE if stored.len() == raw_len => Ok(Bytes::copy_from_slice(stored)),
            CODEC_NONE => Err(CodecError::Damaged),
            CODEC_ZSTD => self.zstd.decompress(stored, raw_len),
            other => Err(CodecError::Unknown(other)),
        }
    }
}

#[cfg(test)]
mod tests;
