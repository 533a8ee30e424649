use bytes::Bytes;

use crate::cursor::{Malformed, Reader, utf16};

/// FSCTL_PIPE_WAIT.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PipeWait {
    /// How long to wait, in units of 100 ns; nothing for the default of the server.
    pub timeout: Option<u64>,
    /// The name of the pipe, without `\pipe\` in front.
    pub name: String,
}

impl PipeWait {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let timeout = reader.u64()?;
        let length = usize::try_from(reader.u32()?).map_err(|_| Malformed)?;
        let timeout = (reader.u8()? != 0).then_some(timeout);
        reader.skip(1)?;
        Ok(Self { timeout, name: utf16(&reader.take(length)?)? })
    }
}
