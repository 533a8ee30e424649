//! Attributes in target information: a list of pairs of an identifier and a value (MS-NLMP 2.2.2.1 AV_PAIR).

use crate::Refusal;

/// Ends the list.
const EOL: u16 = 0;
/// The server's NetBIOS name.
pub(crate) const NB_COMPUTER_NAME: u16 = 1;
/// The NetBIOS name of the server's domain.
pub(crate) const NB_DOMAIN_NAME: u16 = 2;
/// The server's name in the DNS.
pub(crate) const DNS_COMPUTER_NAME: u16 = 3;
/// The name of the server's domain in the DNS.
pub(crate) const DNS_DOMAIN_NAME: u16 = 4;
/// Flags of the client.
pub(crate) const FLAGS: u16 = 6;
/// The server's time.
pub(crate) const TIMESTAMP: u16 = 7;

/// In [`FLAGS`]: the AUTHENTICATE_MESSAGE holds an integrity code.
pub(crate) const FLAG_INTEGRITY: u32 = 2;

/// A list whose end was found inside of its bytes. Bytes behind the end are ignored.
#[derive(Clone, Copy)]
pub(crate) struct AvPairs<'a>(&'a [u8]);

impl<'a> AvPairs<'a> {
    /// Checks that the list is whole.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut rest = bytes;
        loop {
            let (id, _, after) = split_pair(rest).ok_or(Refusal::Malformed)?;
            if id == EOL {
                return Ok(Self(bytes));
            }
            rest = after;
        }
    }

    /// The pairs of an identifier and a value, without the end.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (id, value, after) = split_pair(rest)?;
            rest = after;
            (id != EOL).then_some((id, value))
        })
    }

    /// The value of the first pair with this identifier.
    pub(crate) fn find(self, id: u16) -> Option<&'a [u8]> {
        self.iter().find(|pair| pair.0 == id).map(|pair| pair.1)
    }

    /// The client's flags, none of them set if they are not there.
    pub(crate) fn flags(self) -> u32 {
        self.find(FLAGS).and_then(|value| value.first_chunk()).map_or(0, |value| u32::from_le_bytes(*value))
    }

    /// True if every pair of `others` is here, too, with the same value.
    pub(crate) fn contain(self, others: AvPairs<'_>) -> bool {
        others.iter().all(|(id, value)| self.find(id) == Some(value))
    }
}

/// The identifier and the value of the first pair, and the bytes behind it.
fn split_pair(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((u16::from_le_bytes(*id), value, rest))
}

/// Appends a pair. The caller keeps the value under 64 KiB.
pub(crate) fn put(list: &mut Vec<u8>, id: u16, value: &[u8]) {
    list.extend(id.to_le_bytes());
    list.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    list.extend(value);
}

/// Appends the end.
pub(crate) fn put_end(list: &mut Vec<u8>) {
    put(list, EOL, &[]);
}
