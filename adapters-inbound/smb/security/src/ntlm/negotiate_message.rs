//! The client's first message (MS-NLMP 2.2.1.1).

use super::{flags, message};
use crate::Refusal;

/// MessageType of a NEGOTIATE_MESSAGE.
pub(crate) const TYPE: u32 = 1;

/// Reads the flags that the client asks for. The names of domain and workstation, which the message can hold, say
/// nothing that the third message does not say better; they are not read.
pub(crate) fn decode(message: &[u8]) -> Result<u32, Refusal> {
    message::check(message, TYPE)?;
    let asked = message::u32_at(message, 12)?;
    if asked & flags::UNICODE == 0 { Err(Refusal::NoUnicode) } else { Ok(asked) }
}
