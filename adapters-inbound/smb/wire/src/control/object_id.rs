use bytes::Bytes;

use crate::cursor::Writer;
#[cfg(any(test, feature = "client"))]
use crate::cursor::{Malformed, Reader};

/// The answer to FSCTL_CREATE_OR_GET_OBJECT_ID and FSCTL_GET_OBJECT_ID (FILE_OBJECTID_BUFFER type 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ObjectId {
    /// Identifies the file on its volume.
    pub object_id: [u8; 16],
    /// The volume on which the file was when it got its identifier.
    pub birth_volume_id: [u8; 16],
    /// The identifier of the file at that time.
    pub birth_object_id: [u8; 16],
    /// The domain of the volume: zeros.
    pub domain_id: [u8; 16],
}

impl ObjectId {
    /// Bytes of the answer.
    pub const LENGTH: usize = 64;

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        for id in [&self.object_id, &self.birth_volume_id, &self.birth_object_id, &self.domain_id] {
            writer.put(id);
        }
        writer.into_bytes().freeze()
    }

    /// Decodes the answer, for a client.
    #[cfg(any(test, feature = "client"))]
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self {
            object_id: reader.array()?,
            birth_volume_id: reader.array()?,
            birth_object_id: reader.array()?,
            domain_id: reader.array()?,
        })
    }
}
