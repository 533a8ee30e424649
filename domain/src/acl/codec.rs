//! The kept form of a list, the same in every store.

use thiserror::Error;

use super::{ACL_BYTES_MAX, Ace, AceFlags, AceKind, Acl, AclFlags, Who};
use crate::{access::AccessMask, users::Sid};

const VERSION: u8 = 1;
/// Version and flags.
const HEAD: usize = 2;
/// Kind, flags, the number of whom it is about, and the mask.
const ENTRY: usize = 7;

/// Bytes that are no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an access control list")]
pub struct NoAcl;

mod who {
    pub(super) const OWNER: u8 = 0;
    pub(super) const GROUP: u8 = 1;
    pub(super) const EVERYONE: u8 = 2;
    pub(super) const OWNER_RIGHTS: u8 = 3;
    pub(super) const CREATOR_OWNER: u8 = 4;
    pub(super) const CREATOR_GROUP: u8 = 5;
    pub(super) const USER: u8 = 6;
    pub(super) const NAMED_GROUP: u8 = 7;
    pub(super) const OTHER: u8 = 8;
}

impl Acl {
    /// Bytes of the kept form.
    pub fn encoded_len(&self) -> usize {
        let whom = |ace: &Ace| match &ace.who {
            Who::User(_) | Who::NamedGroup(_) => 4,
            Who::Other(sid) => sid.to_bytes().len(),
            _ => 0,
        };
        HEAD + self.entries.iter().map(|ace| ENTRY + whom(ace)).sum::<usize>()
    }

    /// The kept form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.extend([VERSION, self.flags.bits()]);
        for Ace { kind, who, flags, mask } in &self.entries {
            let (number, id) = number_of(who);
            let kind = match kind {
                AceKind::Allow => 0,
                AceKind::Deny => 1,
            };
            bytes.extend([kind, flags.bits(), number]);
            bytes.extend(mask.bits().to_le_bytes());
            bytes.extend(id.into_iter().flat_map(u32::to_le_bytes));
            if let Who::Other(sid) = who {
                bytes.extend(sid.to_bytes());
            }
        }
        bytes
    }

    /// Reads the kept form.
    ///
    /// # Errors
    /// `NoAcl` for bytes that [`Acl::to_bytes`] makes of no list.
    pub fn from_bytes(bytes: &[u8]) -> Result<Acl, NoAcl> {
        // What rules make of a list that was set.
        if bytes.len() > 3 * ACL_BYTES_MAX {
            return Err(NoAcl);
        }
        let ([version, flags], mut rest) = bytes.split_first_chunk::<HEAD>().ok_or(NoAcl)?;
        let flags = AclFlags::from_bits(*flags).ok_or(NoAcl)?;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (ace, left) = read(rest).ok_or(NoAcl)?;
            entries.push(ace);
            rest = left;
        }
        let is_sound = *version == VERSION && (entries.is_empty() || !flags.contains(AclFlags::UNRESTRICTED));
        if is_sound { Ok(Acl { flags, entries }) } else { Err(NoAcl) }
    }
}

fn number_of(who: &Who) -> (u8, Option<u32>) {
    match who {
        Who::Owner => (who::OWNER, None),
        Who::Group => (who::GROUP, None),
        Who::Everyone => (who::EVERYONE, None),
        Who::OwnerRights => (who::OWNER_RIGHTS, None),
        Who::CreatorOwner => (who::CREATOR_OWNER, None),
        Who::CreatorGroup => (who::CREATOR_GROUP, None),
        Who::User(uid) => (who::USER, Some(*uid)),
        Who::NamedGroup(gid) => (who::NAMED_GROUP, Some(*gid)),
        Who::Other(_) => (who::OTHER, None),
    }
}

fn read(bytes: &[u8]) -> Option<(Ace, &[u8])> {
    let ([kind, flags, number, mask @ ..], rest) = bytes.split_first_chunk::<ENTRY>()?;
    let kind = match kind {
        0 => AceKind::Allow,
        1 => AceKind::Deny,
        _ => return None,
    };
    let id = || rest.split_first_chunk::<4>().map(|(id, rest)| (u32::from_le_bytes(*id), rest));
    let (who, rest) = match *number {
        who::OWNER => (Who::Owner, rest),
        who::GROUP => (Who::Group, rest),
        who::EVERYONE => (Who::Everyone, rest),
        who::OWNER_RIGHTS => (Who::OwnerRights, rest),
        who::CREATOR_OWNER => (Who::CreatorOwner, rest),
        who::CREATOR_GROUP => (Who::CreatorGroup, rest),
        who::USER => id().map(|(uid, rest)| (Who::User(uid), rest))?,
        who::NAMED_GROUP => id().map(|(gid, rest)| (Who::NamedGroup(gid), rest))?,
        who::OTHER => {
            let (sid, len) = Sid::from_bytes(rest).ok()?;
            (Who::Other(Box::new(sid)), rest.get(len..)?)
        }
        _ => return None,
    };
    let (flags, mask) = (AceFlags::from_bits(*flags)?, AccessMask::from_bits(u32::from_le_bytes(*mask))?);
    Some((Ace { kind, who, flags, mask }, rest))
}
