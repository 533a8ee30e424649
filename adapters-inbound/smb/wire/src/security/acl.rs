use crate::cursor::{Malformed, Reader, Writer};

use super::ace::Ace;
use super::descriptor::TooLong;

/// The revision of a list without object ACEs (MS-DTYP 2.4.5).
const ACL_REVISION: u8 = 2;
/// The revision of one with them.
const ACL_REVISION_DS: u8 = 4;

/// Bytes in front of the entries.
const HEADER_LENGTH: usize = 8;

/// An access control list (MS-DTYP 2.4.5), in the order of its entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Acl {
    /// 2, or 4 for a list with object ACEs.
    pub revision: u8,
    /// The entries.
    pub aces: Vec<Ace>,
}

impl Acl {
    /// A list of these entries.
    #[must_use]
    pub fn new(aces: Vec<Ace>) -> Self {
        Self { revision: ACL_REVISION, aces }
    }

    /// Bytes of the binary form.
    #[must_use]
    pub fn encoded_length(&self) -> usize {
        HEADER_LENGTH + self.aces.iter().map(Ace::encoded_length).sum::<usize>()
    }

    /// Appends the binary form. A list has at most 65,535 bytes.
    pub(super) fn put(&self, writer: &mut Writer) -> Result<(), TooLong> {
        let length = u16::try_from(self.encoded_length()).map_err(|_| TooLong)?;
        writer.u8(self.revision);
        writer.u8(0);
        writer.u16(length);
        writer.u16(u16::try_from(self.aces.len()).map_err(|_| TooLong)?);
        writer.u16(0);
        self.aces.iter().for_each(|ace| ace.put(writer));
        Ok(())
    }

    /// Reads the binary form, and no more than it says its size is. Other revisions than 2 and 4 are refused.
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let revision = reader.u8()?;
        if !matches!(revision, ACL_REVISION | ACL_REVISION_DS) {
            return Err(Malformed);
        }
        reader.skip(1)?;
        let length = usize::from(reader.u16()?).checked_sub(HEADER_LENGTH).ok_or(Malformed)?;
        let count = reader.u16()?;
        reader.skip(2)?;
        let mut entries = Reader::new(reader.take(length)?);
        let mut aces = Vec::new();
        for _ in 0..count {
            aces.push(Ace::read(&mut entries)?);
        }
        Ok(Self { revision, aces })
    }
}

#[cfg(test)]
mod tests;
