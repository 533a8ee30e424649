mod text;

use crate::cursor::{Malformed, Reader, Writer};

pub use text::InvalidSid;

/// The most sub-authorities of a SID (MS-DTYP 2.4.2).
pub const SUB_AUTHORITIES_MAX: usize = 15;

/// Bytes in front of the sub-authorities.
const FIXED_LENGTH: usize = 8;
const REVISION: u8 = 1;

/// A security identifier (MS-DTYP 2.4.2). It is parsed and displayed in the form `S-1-5-32-544` (MS-DTYP 2.4.2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    /// 48 bits.
    authority: u64,
    count: u8,
    /// Those beyond the count are zero.
    sub_authorities: [u32; SUB_AUTHORITIES_MAX],
}

impl Sid {
    /// Nobody: S-1-0-0.
    pub const NULL: Self = Self::fixed(0, [0]);
    /// Everyone: S-1-1-0.
    pub const EVERYONE: Self = Self::fixed(1, [0]);
    /// In an inheritable ACE: the owner of what is created, S-1-3-0.
    pub const CREATOR_OWNER: Self = Self::fixed(3, [0]);
    /// In an inheritable ACE: the group of what is created, S-1-3-1.
    pub const CREATOR_GROUP: Self = Self::fixed(3, [1]);
    /// Rights of the owner, in place of the implied ones: S-1-3-4.
    pub const OWNER_RIGHTS: Self = Self::fixed(3, [4]);
    /// Users who logged on over the network: S-1-5-2.
    pub const NETWORK: Self = Self::fixed(5, [2]);
    /// Users without a name: S-1-5-7.
    pub const ANONYMOUS: Self = Self::fixed(5, [7]);
    /// Users with a name: S-1-5-11.
    pub const AUTHENTICATED_USERS: Self = Self::fixed(5, [11]);
    /// The operating system: S-1-5-18.
    pub const LOCAL_SYSTEM: Self = Self::fixed(5, [18]);
    /// Administrators: S-1-5-32-544.
    pub const ADMINISTRATORS: Self = Self::fixed(5, [32, 544]);
    /// Users: S-1-5-32-545.
    pub const USERS: Self = Self::fixed(5, [32, 545]);
    /// Guests: S-1-5-32-546.
    pub const GUESTS: Self = Self::fixed(5, [32, 546]);

    /// The SID of a user without an own one: S-1-22-1-uid, as Samba has it ("Unix User").
    #[must_use]
    pub fn unix_user(uid: u32) -> Self {
        Self::fixed(22, [1, uid])
    }

    /// The SID of a group without an own one: S-1-22-2-gid, as Samba has it ("Unix Group").
    #[must_use]
    pub fn unix_group(gid: u32) -> Self {
        Self::fixed(22, [2, gid])
    }

    /// The user, if this is a SID of [`Self::unix_user`].
    #[must_use]
    pub fn as_unix_user(&self) -> Option<u32> {
        match (self.authority, self.sub_authorities()) {
            (22, [1, uid]) => Some(*uid),
            _ => None,
        }
    }

    /// The group, if this is a SID of [`Self::unix_group`].
    #[must_use]
    pub fn as_unix_group(&self) -> Option<u32> {
        match (self.authority, self.sub_authorities()) {
            (22, [2, gid]) => Some(*gid),
            _ => None,
        }
    }

    /// A SID of an authority (48 bits) and at most [`SUB_AUTHORITIES_MAX`] sub-authorities; nothing if it has more.
    #[must_use]
    pub fn new(authority: u64, sub_authorities: &[u32]) -> Option<Self> {
        let mut sid = Self { authority, count: 0, sub_authorities: [0; SUB_AUTHORITIES_MAX] };
        if authority >> 48 != 0 {
            return None;
        }
        sid.sub_authorities.get_mut(..sub_authorities.len())?.copy_from_slice(sub_authorities);
        sid.count = u8::try_from(sub_authorities.len()).ok()?;
        Some(sid)
    }

    /// This SID with one more sub-authority, for instance the identifier of a user behind the SID of a domain; nothing
    /// if it has no room.
    #[must_use]
    pub fn child(&self, sub_authority: u32) -> Option<Self> {
        let mut sid = *self;
        *sid.sub_authorities.get_mut(usize::from(self.count))? = sub_authority;
        sid.count += 1;
        Some(sid)
    }

    /// The authority.
    #[must_use]
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// The sub-authorities. The last one is the relative identifier.
    #[must_use]
    pub fn sub_authorities(&self) -> &[u32] {
        self.sub_authorities.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// Bytes of the binary form.
    #[must_use]
    pub fn encoded_length(&self) -> usize {
        FIXED_LENGTH + 4 * usize::from(self.count)
    }

    /// Appends the binary form (MS-DTYP 2.4.2.2). The authority is big-endian.
    pub fn put(&self, writer: &mut Writer) {
        writer.u8(REVISION);
        writer.u8(self.count);
        if let Some(authority) = self.authority.to_be_bytes().last_chunk::<6>() {
            writer.put(authority);
        }
        for sub_authority in self.sub_authorities() {
            writer.u32(*sub_authority);
        }
    }

    /// Reads the binary form. Another revision than 1, or more than 15 sub-authorities, are refused.
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        if reader.u8()? != REVISION {
            return Err(Malformed);
        }
        let count = reader.u8()?;
        let authority = reader.array::<6>()?.into_iter().fold(0, |authority, byte| authority << 8 | u64::from(byte));
        let mut sid = Self { authority, count, sub_authorities: [0; SUB_AUTHORITIES_MAX] };
        for place in sid.sub_authorities.get_mut(..usize::from(count)).ok_or(Malformed)? {
            *place = reader.u32()?;
        }
        Ok(sid)
    }

    const fn fixed<const N: usize>(authority: u64, sub_authorities: [u32; N]) -> Self {
        const { assert!(N <= SUB_AUTHORITIES_MAX) };
        let mut sid = Self { authority, count: N as u8, sub_authorities: [0; SUB_AUTHORITIES_MAX] };
        let (places, _) = sid.sub_authorities.split_at_mut(N);
        places.copy_from_slice(&sub_authorities);
        sid
    }
}

#[cfg(test)]
mod tests;
