use bitflags::bitflags;
use bytes::Bytes;
use thiserror::Error;

use crate::cursor::{Malformed, Reader, Writer, range};

use super::ace::{Ace, ace_type};
use super::acl::Acl;
use super::sid::Sid;
use crate::query_info::SecurityInformation;

const REVISION: u8 = 1;

/// Bytes in front of the parts.
const HEADER_LENGTH: usize = 20;

bitflags! {
    /// Control bits of a security descriptor (MS-DTYP 2.4.6). Bits without a name here are kept.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Control: u16 {
        /// The owner was set by default.
        const OWNER_DEFAULTED = 0x0001;
        /// The group was set by default.
        const GROUP_DEFAULTED = 0x0002;
        /// There is a DACL. Without its bytes it is one that grants all to everyone.
        const DACL_PRESENT = 0x0004;
        /// The DACL was set by default.
        const DACL_DEFAULTED = 0x0008;
        /// There is a SACL.
        const SACL_PRESENT = 0x0010;
        /// The SACL was set by default.
        const SACL_DEFAULTED = 0x0020;
        /// Set: entries of the DACL are to be inherited by what is in the directory.
        const DACL_AUTO_INHERIT_REQUIRED = 0x0100;
        /// Set: entries of the SACL are to be inherited by what is in the directory.
        const SACL_AUTO_INHERIT_REQUIRED = 0x0200;
        /// The DACL was made with inheritance.
        const DACL_AUTO_INHERITED = 0x0400;
        /// The SACL was made with inheritance.
        const SACL_AUTO_INHERITED = 0x0800;
        /// The DACL doesn't inherit.
        const DACL_PROTECTED = 0x1000;
        /// The SACL doesn't inherit.
        const SACL_PROTECTED = 0x2000;
        /// The byte for the resource manager means something. It isn't kept, and neither is this bit.
        const RM_CONTROL_VALID = 0x4000;
        /// The parts are at offsets: always so on the wire.
        const SELF_RELATIVE = 0x8000;

        const _ = !0;
    }
}

/// An access control list of more than 65,535 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the access control list is too long")]
pub struct TooLong;

/// A security descriptor (MS-DTYP 2.4.6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecurityDescriptor {
    /// Control bits. Those that say that a list is present are set by [`Self::encode`] when it is.
    pub control: Control,
    /// The owner.
    pub owner: Option<Sid>,
    /// The primary group.
    pub group: Option<Sid>,
    /// The system list: auditing, integrity label.
    pub sacl: Option<Acl>,
    /// The discretionary list: access. Nothing, but with [`Control::DACL_PRESENT`], grants all to everyone.
    pub dacl: Option<Acl>,
}

impl SecurityDescriptor {
    /// Reads the self-relative form. An offset of zero means that the part is absent.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        if reader.u8()? != REVISION {
            return Err(Malformed);
        }
        reader.skip(1)?;
        let control = Control::from_bits_retain(reader.u16()?) - Control::RM_CONTROL_VALID;
        let (owner, group, sacl, dacl) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
        let has = |bit| control.contains(bit);
        Ok(Self {
            control,
            owner: part(bytes, owner, Sid::read)?,
            group: part(bytes, group, Sid::read)?,
            sacl: if has(Control::SACL_PRESENT) { part(bytes, sacl, Acl::read)? } else { None },
            dacl: if has(Control::DACL_PRESENT) { part(bytes, dacl, Acl::read)? } else { None },
        })
    }

    /// Bytes of the self-relative form: what STATUS_BUFFER_TOO_SMALL tells a client to make room for
    /// (MS-SMB2 3.3.5.20.3).
    #[must_use]
    pub fn encoded_length(&self) -> usize {
        let lists = [&self.sacl, &self.dacl].into_iter().flatten().map(Acl::encoded_length);
        let sids = [&self.owner, &self.group].into_iter().flatten().map(Sid::encoded_length);
        HEADER_LENGTH + lists.chain(sids).sum::<usize>()
    }

    /// Writes the self-relative form.
    pub fn encode(&self) -> Result<Bytes, TooLong> {
        let mut control = (self.control | Control::SELF_RELATIVE) - Control::RM_CONTROL_VALID;
        control |= if self.sacl.is_some() { Control::SACL_PRESENT } else { Control::empty() };
        control |= if self.dacl.is_some() { Control::DACL_PRESENT } else { Control::empty() };
        let mut writer = Writer::with_capacity(self.encoded_length());
        writer.u8(REVISION);
        writer.u8(0);
        writer.u16(control.bits());
        writer.zeros(HEADER_LENGTH - 4);
        // The order of offsets in the header is owner, group, SACL, DACL; Windows puts the lists first.
        for (offset_position, list) in [(12, &self.sacl), (16, &self.dacl)] {
            if let Some(list) = list {
                patch_offset(&mut writer, offset_position);
                list.put(&mut writer)?;
            }
        }
        for (offset_position, sid) in [(4, &self.owner), (8, &self.group)] {
            if let Some(sid) = sid {
                patch_offset(&mut writer, offset_position);
                sid.put(&mut writer);
            }
        }
        Ok(writer.into_bytes().freeze())
    }

    /// The parts that a client asks for, and the control bits that belong to them.
    #[must_use]
    pub fn filtered(&self, parts: SecurityInformation) -> Self {
        if parts.contains(SecurityInformation::BACKUP) {
            return self.clone();
        }
        let mut filtered = Self { control: self.control, ..Self::default() };
        if parts.contains(SecurityInformation::OWNER) {
            filtered.owner = self.owner;
        } else {
            filtered.control.remove(Control::OWNER_DEFAULTED);
        }
        if parts.contains(SecurityInformation::GROUP) {
            filtered.group = self.group;
        } else {
            filtered.control.remove(Control::GROUP_DEFAULTED);
        }
        if parts.contains(SecurityInformation::DACL) {
            filtered.dacl = self.dacl.clone();
        } else {
            filtered.control.remove(DACL_CONTROL);
        }
        filtered.sacl = self.sacl.as_ref().and_then(|sacl| sacl_parts(sacl, parts));
        if filtered.sacl.is_none() {
            filtered.control.remove(SACL_CONTROL);
        }
        filtered
    }
}

const DACL_CONTROL: Control = Control::DACL_PRESENT
    .union(Control::DACL_DEFAULTED)
    .union(Control::DACL_AUTO_INHERIT_REQUIRED)
    .union(Control::DACL_AUTO_INHERITED)
    .union(Control::DACL_PROTECTED);

const SACL_CONTROL: Control = Control::SACL_PRESENT
    .union(Control::SACL_DEFAULTED)
    .union(Control::SACL_AUTO_INHERIT_REQUIRED)
    .union(Control::SACL_AUTO_INHERITED)
    .union(Control::SACL_PROTECTED);

/// The entries of a SACL that a client asks for. An empty list is given only to one that asks for auditing.
fn sacl_parts(sacl: &Acl, parts: SecurityInformation) -> Option<Acl> {
    let aces: Vec<Ace> = sacl.aces.iter().filter(|ace| parts.contains(part_of(ace))).cloned().collect();
    let is_given = !aces.is_empty() || parts.contains(SecurityInformation::SACL);
    is_given.then_some(Acl { revision: sacl.revision, aces })
}

/// The bit that asks for an entry of the SACL.
fn part_of(ace: &Ace) -> SecurityInformation {
    match ace.ace_type {
        ace_type::SYSTEM_MANDATORY_LABEL => SecurityInformation::LABEL,
        ace_type::SYSTEM_RESOURCE_ATTRIBUTE => SecurityInformation::ATTRIBUTE,
        ace_type::SYSTEM_SCOPED_POLICY_ID => SecurityInformation::SCOPE,
        _ => SecurityInformation::SACL,
    }
}

fn part<T>(
    bytes: &Bytes,
    offset: u32,
    read: impl FnOnce(&mut Reader) -> Result<T, Malformed>,
) -> Result<Option<T>, Malformed> {
    if offset == 0 {
        return Ok(None);
    }
    let length = (bytes.len() as u64).checked_sub(offset.into()).ok_or(Malformed)?;
    read(&mut Reader::new(range(bytes, offset.into(), length)?)).map(Some)
}

fn patch_offset(writer: &mut Writer, offset_position: usize) {
    let offset = u32::try_from(writer.position()).unwrap_or_default();
    writer.patch_u32(offset_position, offset);
}

#[cfg(test)]
mod tests;
