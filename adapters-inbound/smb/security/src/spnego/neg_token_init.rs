//! The first token of each side (RFC 4178 4.2.1 NegTokenInit, MS-SPNG 2.2.1 NegTokenInit2).

use bytes::Bytes;

use super::{
    der::{self, Reader, element, field, single},
    mechanism::{Mechanism, SPNEGO},
};
use crate::Refusal;

/// Stands in the server's offer where RFC 4178 has another field, for old clients (MS-SPNG 2.2.1).
const HINT: &[u8] = b"not_defined_in_RFC4178@please_ignore";

/// The token of an SMB2 NEGOTIATE response (MS-SMB2 2.2.4): the server's offer, in the order of its preference.
#[must_use]
pub fn negotiate_token(mechanisms: &[Mechanism]) -> Bytes {
    let hint = element(field(0), &[&element(der::GENERAL_STRING, &[HINT])]);
    let hints = element(field(3), &[&element(der::SEQUENCE, &[&hint])]);
    envelope(&[&element(field(0), &[&mech_types(mechanisms)]), &hints]).into()
}

/// The client's list of mechanisms as DER, over which integrity codes are made: MechTypeList.
pub(crate) fn mech_types(mechanisms: &[Mechanism]) -> Vec<u8> {
    let identifiers = mechanisms.iter().map(|mechanism| element(der::OBJECT_IDENTIFIER, &[mechanism.identifier()]));
    element(der::SEQUENCE, &[&identifiers.collect::<Vec<_>>().concat()])
}

/// Writes the client's token.
#[cfg(any(test, feature = "client"))]
pub(crate) fn encode(mechanisms: &[Mechanism], mech_token: Option<&[u8]>) -> Vec<u8> {
    let token = mech_token.map(|token| element(field(2), &[&element(der::OCTET_STRING, &[token])]));
    envelope(&[&element(field(0), &[&mech_types(mechanisms)]), &token.unwrap_or_default()])
}

fn envelope(fields: &[&[u8]]) -> Vec<u8> {
    let token = element(field(0), &[&element(der::SEQUENCE, fields)]);
    element(der::APPLICATION_0, &[&element(der::OBJECT_IDENTIFIER, &[SPNEGO]), &token])
}

/// The client's token, read but not believed.
pub(crate) struct NegTokenInit<'a> {
    /// In the order of the client's preference; not empty.
    pub(crate) mechanisms: Vec<Mechanism>,
    /// The list as DER, as sent.
    pub(crate) mech_types: &'a [u8],
    /// A first token of the first mechanism.
    pub(crate) mech_token: Option<&'a [u8]>,
}

impl<'a> NegTokenInit<'a> {
    /// Reads the token, in its envelope or without.
    pub(crate) fn decode(token: &'a [u8]) -> Result<Self, Refusal> {
        let outer = Reader::new(token).next()?.ok_or(Refusal::Malformed)?;
        let inner = if outer.tag == der::APPLICATION_0 {
            let mut reader = Reader::new(outer.content);
            if reader.expect_tag(der::OBJECT_IDENTIFIER)? != SPNEGO {
                return Err(Refusal::NoCommonMechanism);
            }
            reader.expect_tag(field(0))?
        } else {
            outer.expect_tag(field(0))?
        };
        Self::decode_fields(single(inner, der::SEQUENCE)?)
    }

    /// Unknown fields are passed over, and so are the flags, which RFC 4178 wants ignored. An integrity code means
    /// nothing here: there is no key yet.
    fn decode_fields(fields: &'a [u8]) -> Result<Self, Refusal> {
        const MECH_TYPES: u8 = field(0);
        const MECH_TOKEN: u8 = field(2);
        let mut types = None;
        let mut mech_token = None;
        let mut reader = Reader::new(fields);
        while let Some(element) = reader.next()? {
            match element.tag {
                MECH_TYPES => types = Reader::new(element.content).next()?,
                MECH_TOKEN => mech_token = Some(single(element.content, der::OCTET_STRING)?),
                _ => {}
            }
        }
        let types = types.ok_or(Refusal::Malformed)?;
        let mechanisms = decode_mechanisms(types.expect_tag(der::SEQUENCE)?)?;
        Ok(Self { mechanisms, mech_types: types.whole, mech_token })
    }
}

fn decode_mechanisms(list: &[u8]) -> Result<Vec<Mechanism>, Refusal> {
    let mut mechanisms = Vec::new();
    let mut reader = Reader::new(list);
    while let Some(element) = reader.next()? {
        mechanisms.push(Mechanism::from_identifier(element.expect_tag(der::OBJECT_IDENTIFIER)?));
    }
    if mechanisms.is_empty() { Err(Refusal::Malformed) } else { Ok(mechanisms) }
}
