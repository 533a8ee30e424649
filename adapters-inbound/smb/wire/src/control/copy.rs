use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

/// The key of an open that FSCTL_SRV_REQUEST_RESUME_KEY gives out, and a server-side copy names (MS-SMB2 2.2.32.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ResumeKey(pub [u8; 24]);

impl ResumeKey {
    /// Bytes of the answer.
    pub const LENGTH: usize = 32;

    /// Encodes the answer. It ends with four zeros in place of a context, as Windows does.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.put(&self.0);
        writer.zeros(8);
        writer.into_bytes().freeze()
    }

    /// Decodes the answer, for a client.
    #[cfg(any(test, feature = "client"))]
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        Reader::new(bytes.clone()).array().map(Self)
    }
}

/// FSCTL_SRV_COPYCHUNK and FSCTL_SRV_COPYCHUNK_WRITE: a copy on the server (MS-SMB2 2.2.31.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyChunk {
    /// The open to copy from.
    pub source: ResumeKey,
    /// The parts to copy, in this order. Without chunks a macOS client means the whole file.
    pub chunks: Vec<Chunk>,
}

/// A part of a copy (MS-SMB2 2.2.31.1.1), in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Where to read.
    pub source_offset: u64,
    /// Where to write.
    pub target_offset: u64,
    /// Bytes to copy.
    pub length: u32,
}

impl CopyChunk {
    /// Decodes the request. The limits are checked apart, with [`CopyChunkLimits::allow`].
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let source = ResumeKey(reader.array()?);
        let count = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        reader.skip(4)?;
        let mut list = Reader::new(reader.take(count.checked_mul(24).ok_or(Malformed)?)?);
        let mut chunks = Vec::with_capacity(count);
        while list.remaining() > 0 {
            chunks.push(Chunk { source_offset: list.u64()?, target_offset: list.u64()?, length: list.u32()? });
            list.skip(4)?;
        }
        Ok(Self { source, chunks })
    }

    /// Encodes the request, for a client.
    #[cfg(any(test, feature = "client"))]
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        writer.put(&self.source.0);
        writer.u32(u32::try_from(self.chunks.len()).unwrap_or_default());
        writer.zeros(4);
        for chunk in &self.chunks {
            writer.u64(chunk.source_offset);
            writer.u64(chunk.target_offset);
            writer.u32(chunk.length);
            writer.zeros(4);
        }
        writer.into_bytes().freeze()
    }
}

/// Limits of one request (MS-SMB2 3.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyChunkLimits {
    /// Chunks.
    pub chunks_max: u32,
    /// Bytes of a chunk.
    pub chunk_bytes_max: u32,
    /// Bytes of all chunks.
    pub total_bytes_max: u32,
}

impl Default for CopyChunkLimits {
    /// The limits of Windows, which clients start with: 256 chunks of 1 MiB, 16 MiB in all.
    fn default() -> Self {
        Self { chunks_max: 256, chunk_bytes_max: 1 << 20, total_bytes_max: 16 << 20 }
    }
}

impl CopyChunkLimits {
    /// A request is within the limits, and no chunk is empty. One that isn't is answered with
    /// STATUS_INVALID_PARAMETER and [`Self::response`] (MS-SMB2 3.3.5.15.6).
    #[must_use]
    pub fn allow(&self, request: &CopyChunk) -> bool {
        let total: u64 = request.chunks.iter().map(|chunk| u64::from(chunk.length)).sum();
        request.chunks.len() as u64 <= u64::from(self.chunks_max)
            && request.chunks.iter().all(|chunk| (1..=self.chunk_bytes_max).contains(&chunk.length))
            && total <= u64::from(self.total_bytes_max)
    }

    /// The answer that tells a client the limits.
    #[must_use]
    pub fn response(&self) -> CopyChunkResponse {
        CopyChunkResponse {
            chunks_written: self.chunks_max,
            chunk_bytes_written: self.chunk_bytes_max,
            total_bytes_written: self.total_bytes_max,
        }
    }
}

/// The answer to a copy (MS-SMB2 2.2.32.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CopyChunkResponse {
    /// Chunks that were copied as a whole.
    pub chunks_written: u32,
    /// Bytes of the chunk behind them that were copied: 0 unless the copy failed in between.
    pub chunk_bytes_written: u32,
    /// Bytes in all.
    pub total_bytes_written: u32,
}

impl CopyChunkResponse {
    /// Bytes of the answer.
    pub const LENGTH: usize = 12;

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u32(self.chunks_written);
        writer.u32(self.chunk_bytes_written);
        writer.u32(self.total_bytes_written);
        writer.into_bytes().freeze()
    }

    /// Decodes the answer, for a client.
    #[cfg(any(test, feature = "client"))]
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self {
            chunks_written: reader.u32()?,
            chunk_bytes_written: reader.u32()?,
            total_bytes_written: reader.u32()?,
        })
    }
}

/// FSCTL_DUPLICATE_EXTENTS_TO_FILE: a range shares the blocks of another (SMB2_DUPLICATE_EXTENTS_DATA).
/// The numbers are signed in the standard: greater ones than a signed number holds are out of range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DuplicateExtents {
    /// The open to copy from: the persistent part of its identifier.
    pub source_persistent: u64,
    /// The volatile part.
    pub source_volatile: u64,
    /// Where to read, in bytes.
    pub source_offset: u64,
    /// Where to write, in bytes.
    pub target_offset: u64,
    /// Bytes to copy.
    pub length: u64,
}

impl DuplicateExtents {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self {
            source_persistent: reader.u64()?,
            source_volatile: reader.u64()?,
            source_offset: reader.u64()?,
            target_offset: reader.u64()?,
            length: reader.u64()?,
        })
    }
}
