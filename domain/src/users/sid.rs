//! Security identifiers: how SMB names users and groups (MS-DTYP, 2.4.2).

use std::{fmt, str::FromStr};

use smallvec::{SmallVec, smallvec};
use thiserror::Error;

/// A security identifier: an authority and up to 15 numbers below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// 48 bits.
    authority: u64,
    numbers: SmallVec<[u32; 5]>,
}

/// Bytes or a text that are no security identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a security identifier, such as S-1-5-21-1-2-3-1000")]
pub struct NoSid;

/// Whom a security identifier of a file's owner means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The user with this id.
    User(u32),
    /// The group with this id.
    Group(u32),
}

const AUTHORITY_MAX: u64 = (1 << 48) - 1;
const NT_AUTHORITY: u64 = 5;
/// Of what Samba gives to ids that have no other identifier: `S-1-22-1-UID` and `S-1-22-2-GID`.
const UNIX_AUTHORITY: u64 = 22;
const UNIX_USERS: u32 = 1;
const UNIX_GROUPS: u32 = 2;
/// The first number below an authority whose identifiers are those of one machine or domain.
const NON_UNIQUE: u32 = 21;
/// Numbers below this one are those of Windows itself.
const FIRST_RID: u32 = 1_000;

impl Sid {
    /// The most numbers below the authority.
    pub const NUMBERS_MAX: usize = 15;

    /// Checks an identifier of these parts.
    ///
    /// # Errors
    /// If the authority has more than 48 bits, or there are too many numbers.
    pub fn new(authority: u64, numbers: &[u32]) -> Result<Sid, NoSid> {
        let is_sound = authority <= AUTHORITY_MAX && numbers.len() <= Self::NUMBERS_MAX;
        if is_sound { Ok(Sid { authority, numbers: numbers.into() }) } else { Err(NoSid) }
    }

    fn well_known(authority: u64, numbers: &[u32]) -> Sid {
        Sid { authority, numbers: numbers.into() }
    }

    /// Everyone.
    pub fn everyone() -> Sid {
        Sid::well_known(1, &[0])
    }

    /// Who will own what is made.
    pub fn creator_owner() -> Sid {
        Sid::well_known(3, &[0])
    }

    /// The group of what is made.
    pub fn creator_group() -> Sid {
        Sid::well_known(3, &[1])
    }

    /// Everybody who comes over the network.
    pub fn network() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[2])
    }

    /// Who has not logged on.
    pub fn anonymous() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[7])
    }

    /// Everybody who has logged on.
    pub fn authenticated_users() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[11])
    }

    /// The system itself.
    pub fn system() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[18])
    }

    /// The built-in group of administrators.
    pub fn administrators() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[32, 544])
    }

    /// The built-in group of users.
    pub fn users() -> Sid {
        Sid::well_known(NT_AUTHORITY, &[32, 545])
    }

    /// Whether all but nobody are meant: whoever has logged on is a user here, and comes over the network.
    pub fn is_of_all_users(&self) -> bool {
        [Sid::authenticated_users(), Sid::network(), Sid::users()].contains(self)
    }

    /// Its authority.
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// The numbers below the authority.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// Its bytes on the wire (MS-DTYP, 2.4.2.2).
    pub fn to_bytes(&self) -> SmallVec<[u8; 28]> {
        let count = u8::try_from(self.numbers.len()).unwrap_or(u8::MAX);
        let mut bytes: SmallVec<[u8; 28]> = smallvec![1, count];
        bytes.extend(self.authority.to_be_bytes().into_iter().skip(2));
        self.numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes
    }

    /// Reads the identifier that bytes begin with, and how many of them it takes.
    ///
    /// # Errors
    /// If they begin with none.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Sid, usize), NoSid> {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or(NoSid)?;
        let [revision, count, authority @ ..] = *head;
        if revision != 1 || usize::from(count) > Self::NUMBERS_MAX {
            return Err(NoSid);
        }
        let authority = authority.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let len = 4 * usize::from(count);
        let (numbers, _) = rest.get(..len).ok_or(NoSid)?.as_chunks::<4>();
        Ok((Sid { authority, numbers: numbers.iter().copied().map(u32::from_le_bytes).collect() }, 8 + len))
    }
}

/// As `S-1-5-21-1-2-3-1000`; authorities of more than 32 bits in hexadecimal digits (MS-DTYP, 2.4.2.1).
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u32::try_from(self.authority) {
            Ok(authority) => write!(f, "S-1-{authority}")?,
            Err(_) => write!(f, "S-1-0x{:012x}", self.authority)?,
        }
        self.numbers.iter().try_for_each(|number| write!(f, "-{number}"))
    }
}

impl FromStr for Sid {
    type Err = NoSid;

    fn from_str(text: &str) -> Result<Sid, NoSid> {
        // Only digits: `from_str` of numbers also takes a plus sign.
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| text.to_owned());
        let mut parts = text.strip_prefix("S-1-").or_else(|| text.strip_prefix("s-1-")).ok_or(NoSid)?.split('-');
        let authority = parts.next().ok_or(NoSid)?;
        let authority = match authority.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(&digits(hex).ok_or(NoSid)?, 16),
            None => digits(authority).ok_or(NoSid)?.parse(),
        };
        let numbers: Option<Vec<u32>> = parts.map(|part| digits(part)?.parse().ok()).collect();
        Sid::new(authority.map_err(|_| NoSid)?, &numbers.ok_or(NoSid)?)
    }
}

/// The part of all identifiers of one server: 96 random bits, made once and kept with its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MachineId(pub [u32; 3]);

impl MachineId {
    /// Of 128 random bits: 96 of them.
    pub fn of_bits(bits: u128) -> MachineId {
        MachineId([bits as u32, (bits >> 32) as u32, (bits >> 64) as u32])
    }

    /// Its bytes, as they are kept.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (chunk, number) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(self.0) {
            *chunk = number.to_le_bytes();
        }
        bytes
    }

    /// The machine of these bytes.
    pub fn from_bytes(bytes: [u8; 12]) -> MachineId {
        let mut numbers = [0; 3];
        for (number, chunk) in numbers.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *number = u32::from_le_bytes(*chunk);
        }
        MachineId(numbers)
    }

    /// The identifier of the server itself: `S-1-5-21-A-B-C`.
    pub fn sid(self) -> Sid {
        let [a, b, c] = self.0;
        Sid::well_known(NT_AUTHORITY, &[NON_UNIQUE, a, b, c])
    }

    /// The identifier of a user or group: the machine's, and 1000 + 2 UID or 1001 + 2 GID, as Samba computes it. Ids for
    /// which that is too great have one of Unix ids, as there.
    pub fn sid_of(self, principal: Principal) -> Sid {
        let (id, first, unix) = match principal {
            Principal::User(uid) => (uid, FIRST_RID, UNIX_USERS),
            Principal::Group(gid) => (gid, FIRST_RID + 1, UNIX_GROUPS),
        };
        match id.checked_mul(2).and_then(|twice| twice.checked_add(first)) {
            Some(rid) => {
                let [a, b, c] = self.0;
                Sid::well_known(NT_AUTHORITY, &[NON_UNIQUE, a, b, c, rid])
            }
            None => Sid::well_known(UNIX_AUTHORITY, &[unix, id]),
        }
    }

    /// Whom an identifier means; nobody for that of another machine, or one of Windows' own.
    pub fn principal_of(self, sid: &Sid) -> Option<Principal> {
        let [a, b, c] = self.0;
        match (sid.authority, sid.numbers.as_slice()) {
            (NT_AUTHORITY, &[NON_UNIQUE, x, y, z, rid]) if [x, y, z] == [a, b, c] => {
                let above = rid.checked_sub(FIRST_RID)?;
                Some(if above % 2 == 0 { Principal::User(above / 2) } else { Principal::Group(above / 2) })
            }
            (UNIX_AUTHORITY, &[UNIX_USERS, uid]) => Some(Principal::User(uid)),
            (UNIX_AUTHORITY, &[UNIX_GROUPS, gid]) => Some(Principal::Group(gid)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
