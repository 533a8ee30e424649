//! A reader and a writer of the few forms of DER (X.690) that SPNEGO uses.

use crate::Refusal;

/// Tag of an OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// Tag of an OBJECT IDENTIFIER.
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
/// Tag of an ENUMERATED.
pub(crate) const ENUMERATED: u8 = 0x0a;
/// Tag of a GeneralString.
pub(crate) const GENERAL_STRING: u8 = 0x1b;
/// Tag of a SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// Tag of the envelope of a mechanism's first token (RFC 2743 3.1).
pub(crate) const APPLICATION_0: u8 = 0x60;

/// Tag of a field by its number, which is under 31.
pub(crate) const fn field(number: u8) -> u8 {
    0xa0 | number
}

/// An element: its tag, its content, and all of its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The content, if the tag is this one.
    pub(crate) fn expect_tag(self, tag: u8) -> Result<&'a [u8], Refusal> {
        if self.tag == tag { Ok(self.content) } else { Err(Refusal::Malformed) }
    }
}

/// Reads elements one after the other.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element, or nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>, Refusal> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (element, rest) = split_element(self.0).ok_or(Refusal::Malformed)?;
        self.0 = rest;
        Ok(Some(element))
    }

    /// The next element, which must have this tag: its content.
    pub(crate) fn expect_tag(&mut self, tag: u8) -> Result<&'a [u8], Refusal> {
        self.next()?.ok_or(Refusal::Malformed)?.expect_tag(tag)
    }
}

/// The single element in these bytes, which must have this tag: its content.
pub(crate) fn single(bytes: &[u8], tag: u8) -> Result<&[u8], Refusal> {
    Reader::new(bytes).expect_tag(tag)
}

fn split_element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = split_length(first, rest)?;
    let (content, rest) = rest.split_at_checked(length)?;
    let (whole, _) = bytes.split_at_checked(bytes.len() - rest.len())?;
    Some((Element { tag, content, whole }, rest))
}

/// The length that starts with this byte. The indefinite form, and lengths of more than four bytes, are none.
fn split_length(first: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    let (digits, rest) = rest.split_at_checked(count)?;
    if !(1..=4).contains(&count) {
        return None;
    }
    let length = digits.iter().fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
    Some((usize::try_from(length).ok()?, rest))
}

/// Writes an element with this tag, whose content is these pieces.
pub(crate) fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let length: usize = content.iter().map(|piece| piece.len()).sum();
    let mut bytes = Vec::with_capacity(length + 6);
    bytes.push(tag);
    put_length(&mut bytes, length);
    content.iter().for_each(|piece| bytes.extend_from_slice(piece));
    bytes
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short @ ..0x80) => bytes.push(short),
        _ => {
            let digits = length.to_be_bytes();
            let significant = digits.iter().skip_while(|digit| **digit == 0);
            bytes.push(0x80 | u8::try_from(significant.clone().count()).unwrap_or(0));
            bytes.extend(significant);
        }
    }
}

#[cfg(test)]
mod tests;
