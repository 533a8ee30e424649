//! Compression of frames.

use bytes::Bytes;

use super::CodecError;

/// Compresses and decompresses frames of blocks. Computes only: never waits, and may be called from any thread.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait FrameCodec: Send + Sync {
    /// Returns the codec that `encode` uses, as heads of blocks name it: 0 is none.
    fn id(&self) -> u8;

    /// Compresses a frame; `None` leaves it as it is.
    /// - `None` where less than an eighth would be saved, found with as little work as possible.
    fn encode(&self, frame: &[u8]) -> Option<Bytes>;

    /// Decompresses what any codec that this program ever wrote has made, whatever [`FrameCodec::id`] says.
    /// - the result has exactly `raw_len` bytes, and no more memory than that is taken for it;
    /// - bytes that are not what `encode` made are an error or decode to something, so checksums of the stored bytes
    ///   are verified before.
    fn decode(&self, codec: u8, stored: &[u8], raw_len: usize) -> Result<Bytes, CodecError>;
}
