//! File system controls: the payloads of IOCTL (MS-SMB2 2.2.31 and 2.2.32, MS-FSCC 2.3).
//!
//! A decoder that fails means STATUS_INVALID_PARAMETER unless it says otherwise. Encoders give the whole answer: the
//! caller compares its length with MaxOutputResponse, but for lists, which have a limit.
//!
//! FSCTL_PIPE_TRANSCEIVE has no structure of its own: input and output are the message of the pipe's protocol.

pub mod code;
mod compression;
mod copy;
mod dfs;
mod integrity;
mod negotiate;
mod network;
mod object_id;
mod pipe;
mod range;
mod region;
mod resiliency;
mod snapshot;

pub use compression::{COMPRESSION_FORMAT_LZNT1, COMPRESSION_FORMAT_NONE, Compression};
pub use copy::{Chunk, CopyChunk, CopyChunkLimits, CopyChunkResponse, DuplicateExtents, ResumeKey};
pub use dfs::DfsReferralRequest;
pub use integrity::{Integrity, SetIntegrity};
pub use negotiate::{ValidateNegotiate, ValidateNegotiateResponse};
#[cfg(any(test, feature = "client"))]
pub use network::decode_interfaces;
pub use network::{InterfaceCapability, NetworkInterface, encode_interfaces};
pub use object_id::ObjectId;
pub use pipe::PipeWait;
pub use range::{FileRange, OutputTooSmall, ZeroData, encode_ranges, is_set_sparse};
pub use region::{FileRegion, RegionQuery, encode_regions};
pub use resiliency::Resiliency;
pub use snapshot::encode_no_snapshots;

#[cfg(test)]
mod tests;
