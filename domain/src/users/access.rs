//! Which users a share lets in.

use std::collections::BTreeMap;

use super::UserName;
use crate::Credentials;

/// What a share lets a user do at most. What it may do to a file, the file's own permissions decide below that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permitted {
    /// Nothing: the user can't enter the share.
    None,
    /// To read.
    Read,
    /// To read and to write.
    Write,
}

/// Which users and groups a share lets in. It is asked of users that have logged on by name and proved it: NFS clients
/// are admitted by their networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessList {
    /// Every user of the server may read and write, as permissions allow.
    #[default]
    Everybody,
    /// Only who is listed.
    Listed {
        /// Users by name. What is said of a user holds whatever is said of its groups.
        users: BTreeMap<UserName, Permitted>,
        /// Groups by id.
        groups: BTreeMap<u32, Permitted>,
    },
}

impl AccessList {
    /// What a user may do: what is said of itself, else the most that is said of one of its groups, else nothing.
    /// `credentials` are the user's own, before the share maps them.
    pub fn permitted(&self, name: &UserName, credentials: &Credentials) -> Permitted {
        match self {
            AccessList::Everybody => Permitted::Write,
            AccessList::Listed { users, groups } => users.get(name).copied().unwrap_or_else(|| {
                let of_groups = groups.iter().filter(|(gid, _)| credentials.in_group(**gid));
                of_groups.map(|(_, permitted)| *permitted).max().unwrap_or(Permitted::None)
            }),
        }
    }
}

#[cfg(test)]
mod tests;
