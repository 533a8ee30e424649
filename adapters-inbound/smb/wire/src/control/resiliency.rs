use bytes::Bytes;

use crate::cursor::{Malformed, Reader};

/// FSCTL_LMR_REQUEST_RESILIENCY (MS-SMB2 2.2.31.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resiliency {
    /// How long the open is to outlive a lost connection, in milliseconds; 0 for the default of the server.
    pub timeout_ms: u32,
}

impl Resiliency {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let timeout_ms = reader.u32()?;
        reader.skip(4)?;
        Ok(Self { timeout_ms })
    }
}
