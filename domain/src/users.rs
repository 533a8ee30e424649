//! The users of the server: their names, their numbers in the file system and on the wire, and what shares let them do.
//!
//! A user is known by a name and proves by a secret who it is. What it may do to a file is decided by its
//! [`Credentials`], as for everybody: a user that logs on over SMB and one of the same numbers over NFS are the same.

pub mod access;
pub mod name;
pub mod secret;
pub mod sid;

pub use access::{AccessList, Permitted};
pub use name::{NameFault, UserName};
pub use secret::{NtHash, SealedSecret};
pub use sid::{MachineId, Principal, Sid};

use crate::{Credentials, credentials::NO_ID};

/// A user, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, as it was first written.
    pub name: UserName,
    /// The user id; never [`NO_ID`].
    pub uid: u32,
    /// The primary group; never [`NO_ID`].
    pub gid: u32,
    /// Further groups: at most [`User::GROUPS_MAX`], none of them [`NO_ID`].
    pub groups: Vec<u32>,
    /// Whether it may not log on.
    pub disabled: bool,
    /// The proof of its password, sealed with the server's key and for this name.
    pub secret: SealedSecret,
}

impl User {
    /// The most further groups. Directories of companies stay below it (Windows ends at 1,015 groups).
    pub const GROUPS_MAX: usize = 1_015;

    /// Returns the numbers by which permission is decided.
    pub fn credentials(&self) -> Credentials {
        Credentials { uid: self.uid, gid: self.gid, groups: self.groups.iter().copied().collect() }
    }
}

/// Whether a user can have these numbers.
pub fn are_ids(uid: u32, gid: u32, groups: &[u32]) -> bool {
    uid != NO_ID && gid != NO_ID && groups.len() <= User::GROUPS_MAX && !groups.contains(&NO_ID)
}
