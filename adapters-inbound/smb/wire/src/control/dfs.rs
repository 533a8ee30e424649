use bytes::Bytes;

use crate::cursor::{Malformed, Reader, utf16};

/// FSCTL_DFS_GET_REFERRALS (REQ_GET_DFS_REFERRAL, MS-DFSC 2.2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DfsReferralRequest {
    /// The highest version of referrals that the client knows.
    pub max_level: u16,
    /// The path, for instance `\server\share`.
    pub path: String,
}

impl DfsReferralRequest {
    /// Decodes the request. The path ends at a NUL, or, of a client that left it out, with the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let max_level = reader.u16()?;
        let rest = reader.take(reader.remaining())?;
        let length = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0]).map_or(rest.len(), |at| 2 * at);
        Ok(Self { max_level, path: utf16(rest.get(..length).unwrap_or_default())? })
    }
}
