use bitflags::bitflags;
use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

use super::sid::Sid;
use crate::access::AccessMask;

/// Types of an ACE (MS-DTYP 2.4.4.1).
pub mod ace_type {
    /// Grants rights.
    pub const ACCESS_ALLOWED: u8 = 0x00;
    /// Denies rights.
    pub const ACCESS_DENIED: u8 = 0x01;
    /// Has uses of rights logged. In a SACL.
    pub const SYSTEM_AUDIT: u8 = 0x02;
    /// The integrity level. In a SACL.
    pub const SYSTEM_MANDATORY_LABEL: u8 = 0x11;
    /// A resource attribute. In a SACL.
    pub const SYSTEM_RESOURCE_ATTRIBUTE: u8 = 0x12;
    /// The central access policy. In a SACL.
    pub const SYSTEM_SCOPED_POLICY_ID: u8 = 0x13;
}

bitflags! {
    /// Inheritance and auditing of an ACE (MS-DTYP 2.4.4.1). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct AceFlags: u8 {
        /// Files in the directory inherit it.
        const OBJECT_INHERIT = 0x01;
        /// Directories in the directory inherit it.
        const CONTAINER_INHERIT = 0x02;
        /// It isn't passed on by those that inherit it.
        const NO_PROPAGATE_INHERIT = 0x04;
        /// It doesn't apply to the directory itself.
        const INHERIT_ONLY = 0x08;
        /// It was inherited.
        const INHERITED = 0x10;
        /// Successful uses are logged.
        const SUCCESSFUL_ACCESS = 0x40;
        /// Failed uses are logged.
        const FAILED_ACCESS = 0x80;

        const _ = !0;
    }
}

/// An access control entry (MS-DTYP 2.4.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ace {
    /// One of [`ace_type`], or any other.
    pub ace_type: u8,
    /// Inheritance and auditing.
    pub flags: AceFlags,
    /// The rest.
    pub body: AceBody,
}

/// The part of an ACE behind its header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AceBody {
    /// Of [`ace_type::ACCESS_ALLOWED`] and [`ace_type::ACCESS_DENIED`].
    Access {
        /// Rights that are granted or denied.
        mask: AccessMask,
        /// To whom.
        sid: Sid,
    },
    /// Of all other types: the bytes as they are, their length a multiple of 4.
    Opaque(Bytes),
}

/// Bytes of the header: type, flags and size.
const HEADER_LENGTH: usize = 4;

impl Ace {
    /// An entry that grants rights.
    #[must_use]
    pub fn allowed(sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self { ace_type: ace_type::ACCESS_ALLOWED, flags, body: AceBody::Access { mask, sid } }
    }

    /// An entry that denies rights.
    #[must_use]
    pub fn denied(sid: Sid, mask: AccessMask, flags: AceFlags) -> Self {
        Self { ace_type: ace_type::ACCESS_DENIED, flags, body: AceBody::Access { mask, sid } }
    }

    /// Bytes of the binary form.
    #[must_use]
    pub fn encoded_length(&self) -> usize {
        HEADER_LENGTH
            + match &self.body {
                AceBody::Access { sid, .. } => 4 + sid.encoded_length(),
                AceBody::Opaque(bytes) => bytes.len().next_multiple_of(4),
            }
    }

    /// Appends the binary form. The caller has made sure that its length fits in 16 bits.
    pub(super) fn put(&self, writer: &mut Writer) {
        writer.u8(self.ace_type);
        writer.u8(self.flags.bits());
        writer.u16(u16::try_from(self.encoded_length()).unwrap_or_default());
        match &self.body {
            AceBody::Access { mask, sid } => {
                writer.u32(mask.bits());
                sid.put(writer);
            }
            AceBody::Opaque(bytes) => {
                writer.put(bytes);
                writer.zeros(bytes.len().next_multiple_of(4) - bytes.len());
            }
        }
    }

    /// Reads the binary form. Bytes behind the SID of an access ACE are dropped.
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let ace_type = reader.u8()?;
        let flags = AceFlags::from_bits_retain(reader.u8()?);
        let length = usize::from(reader.u16()?).checked_sub(HEADER_LENGTH).ok_or(Malformed)?;
        let bytes = reader.take(length)?;
        let body = match ace_type {
            ace_type::ACCESS_ALLOWED | ace_type::ACCESS_DENIED => {
                let mut reader = Reader::new(bytes);
                let mask = AccessMask::from_bits_retain(reader.u32()?);
                AceBody::Access { mask, sid: Sid::read(&mut reader)? }
            }
            _ => AceBody::Opaque(bytes),
        };
        Ok(Self { ace_type, flags, body })
    }
}
