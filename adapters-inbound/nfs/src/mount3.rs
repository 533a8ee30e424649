//! The MOUNT protocol, version 3 (RFC 1813 appendix I) and version 1 (RFC 1094 appendix A) for old tools.

mod mounts;
mod program;
pub mod wire;

pub use program::Mount3;

/// The program's number.
pub const PROGRAM: u32 = 100_005;
/// The version that goes with NFSv3.
pub const VERSION: u32 = 3;
/// The version that an old `showmount` speaks. DUMP, UMNT, UMNTALL and EXPORT are as in version 3.
pub const VERSION_1: u32 = 1;
