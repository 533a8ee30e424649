//! Every token but the first (RFC 4178 4.2.2 NegTokenResp).

use super::{
    der::{self, Reader, element, field, single},
    mechanism::Mechanism,
};
use crate::Refusal;

/// How far the negotiation is, as the server sees it. A client's own view is ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NegState {
    /// Done.
    AcceptCompleted = 0,
    /// More tokens follow.
    AcceptIncomplete = 1,
    /// More tokens follow, and an integrity code over the list of mechanisms must be among them.
    RequestMic = 3,
}

/// A token, read but not believed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct NegTokenResp<'a> {
    /// negState, as sent.
    pub(crate) state: Option<u8>,
    /// The mechanism that the server chose.
    pub(crate) mechanism: Option<Mechanism>,
    /// A token of the mechanism.
    pub(crate) token: Option<&'a [u8]>,
    /// An integrity code over the list of mechanisms: mechListMIC.
    pub(crate) mic: Option<&'a [u8]>,
}

impl<'a> NegTokenResp<'a> {
    /// Reads a token. Unknown fields are passed over.
    pub(crate) fn decode(token: &'a [u8]) -> Result<Self, Refusal> {
        const STATE: u8 = field(0);
        const MECHANISM: u8 = field(1);
        const TOKEN: u8 = field(2);
        const MIC: u8 = field(3);
        let mut resp = Self::default();
        let mut reader = Reader::new(single(single(token, field(1))?, der::SEQUENCE)?);
        while let Some(element) = reader.next()? {
            match element.tag {
                STATE => resp.state = single(element.content, der::ENUMERATED)?.last().copied(),
                MECHANISM => {
                    let identifier = single(element.content, der::OBJECT_IDENTIFIER)?;
                    resp.mechanism = Some(Mechanism::from_identifier(identifier));
                }
                TOKEN => resp.token = Some(single(element.content, der::OCTET_STRING)?),
                MIC => resp.mic = Some(single(element.content, der::OCTET_STRING)?),
                _ => {}
            }
        }
        Ok(resp)
    }

    /// Writes a token.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let state = self.state.map(|state| element(field(0), &[&element(der::ENUMERATED, &[&[state]])]));
        let mechanism = self
            .mechanism
            .map(|mechanism| element(field(1), &[&element(der::OBJECT_IDENTIFIER, &[mechanism.identifier()])]));
        let [token, mic] = [(2, self.token), (3, self.mic)]
            .map(|(number, bytes)| bytes.map(|bytes| element(field(number), &[&element(der::OCTET_STRING, &[bytes])])));
        let fields = [state, mechanism, token, mic].map(Option::unwrap_or_default).concat();
        element(field(1), &[&element(der::SEQUENCE, &[&fields])])
    }
}
