//! Frames of zstd, one for each frame of a block.

use bytes::Bytes;
use dittofs_ports::CodecError;
use zstd::bulk::{Compressor, Decompressor};

use crate::contexts::Contexts;

pub(crate) struct Zstd {
    level: i32,
    compressors: Contexts<(Compressor<'static>, Vec<u8>)>,
    decompressors: Contexts<Decompressor<'static>>,
}

impl Zstd {
    pub(crate) fn new(level: i32) -> Zstd {
        Zstd { level, compressors: Contexts::new(), decompressors: Contexts::new() }
    }

    /// The compressor writes into a buffer of seven eighths, and gives up when that is full.
    pub(crate) fn compress(&self, frame: &[u8]) -> Option<Bytes> {
        let room = frame.len() - frame.len().div_ceil(8);
        let make = || Some((Compressor::new(self.level).ok()?, Vec::new()));
        let compressed = self.compressors.with(make, |(compressor, out)| {
            out.clear();
            out.resize(room, 0);
            let len = compressor.compress_to_buffer(frame, out.as_mut_slice()).ok()?;
            out.get(..len).map(Bytes::copy_from_slice)
        });
        compressed.flatten()
    }

    pub(crate) fn decompress(&self, stored: &[u8], raw_len: usize) -> Result<Bytes, CodecError> {
        let make = || Decompressor::new().ok();
        let decompressed = self.decompressors.with(make, |decompressor| {
            // Writes into the capacity, which is never exceeded.
            let mut out = Vec::with_capacity(raw_len);
            decompressor.decompress_to_buffer(stored, &mut out).ok().map(|_| out)
        });
        match decompressed.flatten() {
            Some(out) if out.len() == raw_len => Ok(Bytes::from(out)),
            Some(_) | None => Err(CodecError::Damaged),
        }
    }
}
