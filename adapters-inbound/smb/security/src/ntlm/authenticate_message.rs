//! The client's second message (MS-NLMP 2.2.1.3).

use super::{
    av_pairs::{self, AvPairs},
    flags,
    message::{self, Payload, payload_at},
};
use crate::Refusal;

/// MessageType of an AUTHENTICATE_MESSAGE.
pub(crate) const TYPE: u32 = 3;
/// Where the integrity code stands, in bytes from the start, if there is one.
pub(crate) const MIC_OFFSET: usize = 72;
/// Bytes of the integrity code.
pub(crate) const MIC_LENGTH: usize = 16;

/// The message, read but not believed.
pub(crate) struct AuthenticateMessage<'a> {
    pub(crate) lm_response: &'a [u8],
    pub(crate) nt_response: &'a [u8],
    /// Text of UTF-16LE, as sent.
    pub(crate) domain: &'a [u8],
    /// Text of UTF-16LE, as sent.
    pub(crate) user: &'a [u8],
    /// Text of UTF-16LE, as sent.
    pub(crate) workstation: &'a [u8],
    pub(crate) encrypted_session_key: &'a [u8],
    pub(crate) flags: u32,
    /// The integrity code, or what stands in its place; nothing where the payload leaves no room for it.
    mic: Option<[u8; MIC_LENGTH]>,
}

impl<'a> AuthenticateMessage<'a> {
    /// Reads the message.
    pub(crate) fn decode(message: &'a [u8]) -> Result<Self, Refusal> {
        message::check(message, TYPE)?;
        let parts: [Payload<'a>; 6] = [
            payload_at(message, 12)?,
            payload_at(message, 20)?,
            payload_at(message, 28)?,
            payload_at(message, 36)?,
            payload_at(message, 44)?,
            payload_at(message, 52)?,
        ];
        let flags = message::u32_at(message, 60)?;
        if flags & flags::UNICODE == 0 {
            return Err(Refusal::NoUnicode);
        }
        let has_room = parts.iter().all(|part| part.offset >= MIC_OFFSET + MIC_LENGTH);
        let mic = if has_room { message::array_at(message, MIC_OFFSET).ok() } else { None };
        let [lm_response, nt_response, domain, user, workstation, encrypted_session_key] = parts.map(|part| part.bytes);
        Ok(Self { lm_response, nt_response, domain, user, workstation, encrypted_session_key, flags, mic })
    }

    /// True if the client asks for an anonymous session (MS-NLMP 3.2.5.1.2): no name, no response.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.user.is_empty() && self.nt_response.is_empty() && matches!(self.lm_response, [] | [0])
    }

    /// The response to the challenge, if it is one of NTLM version 2.
    pub(crate) fn response(&self) -> Result<Response<'a>, Refusal> {
        Response::decode(self.nt_response)
    }

    /// The integrity code, if the response says that there is one.
    pub(crate) fn mic(&self, response: &Response<'_>) -> Result<Option<[u8; MIC_LENGTH]>, Refusal> {
        if response.pairs.flags() & av_pairs::FLAG_INTEGRITY == 0 {
            return Ok(None);
        }
        self.mic.map(Some).ok_or(Refusal::Malformed)
    }
}

/// A response of NTLM version 2 (MS-NLMP 2.2.2.8).
pub(crate) struct Response<'a> {
    /// NTProofStr.
    pub(crate) proof: [u8; 16],
    /// All that follows the proof, which it covers: `temp` (MS-NLMP 3.3.2).
    pub(crate) covered: &'a [u8],
    /// The client's target information.
    pub(crate) pairs: AvPairs<'a>,
}

impl<'a> Response<'a> {
    /// Bytes of a response of NTLM version 1. LAN Manager leaves this response empty.
    const LENGTH_V1: usize = 24;
    /// Where the pairs start, in bytes from the end of the proof.
    const PAIRS_OFFSET: usize = 28;

    fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() <= Self::LENGTH_V1 {
            return Err(Refusal::ObsoleteResponse);
        }
        let (proof, covered) = bytes.split_first_chunk().ok_or(Refusal::Malformed)?;
        let [1, 1, ..] = covered else { return Err(Refusal::Malformed) };
        let pairs = AvPairs::parse(covered.get(Self::PAIRS_OFFSET..).ok_or(Refusal::Malformed)?)?;
        Ok(Self { proof: *proof, covered, pairs })
    }
}
