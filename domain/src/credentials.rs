//! Who asks: credentials, and how a share maps what a client presents to them.

use smallvec::SmallVec;

use crate::error::{FsError, FsResult};

/// The groups of a caller in addition to its primary one. AUTH_SYS carries at most 16 (RFC 5531, appendix A).
pub type Groups = SmallVec<[u32; 16]>;

/// The id that is none: `(uid_t) -1` and `(gid_t) -1`, by which POSIX says "as it is" (chown). Nobody has it, nobody
/// can be given it, and Linux can't show it: a client's `ls` of a directory with such an owner never returns.
pub const NO_ID: u32 = u32::MAX;
/// The user and group that stand for nobody in particular.
pub const NOBODY: u32 = 65_534;

/// Refuses owners that nothing can belong to.
///
/// # Errors
/// `Invalid` if one is [`NO_ID`].
pub fn check_owner(uid: Option<u32>, gid: Option<u32>) -> FsResult<()> {
    if uid == Some(NO_ID) || gid == Some(NO_ID) { Err(FsError::Invalid) } else { Ok(()) }
}

/// An owner as it is shown: what was stored before [`NO_ID`] was refused is nobody's.
pub fn shown_owner(id: u32) -> u32 {
    if id == NO_ID { NOBODY } else { id }
}

/// The user and groups that permission is decided for, after squashing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// User id; 0 is privileged.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Further group ids.
    pub groups: Groups,
}

impl Credentials {
    /// The privileged user.
    pub fn root() -> Credentials {
        Credentials::user(0, 0)
    }

    /// A user with one group.
    pub fn user(uid: u32, gid: u32) -> Credentials {
        Credentials { uid, gid, groups: Groups::new() }
    }

    /// Whether all permission checks are passed.
    pub fn is_privileged(&self) -> bool {
        self.uid == 0
    }

    /// Whether `gid` is the primary group or one of the others.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

/// Which identities a share does not take at their word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Squash {
    /// All are taken as presented.
    None,
    /// User 0 and group 0, in every position, become the anonymous ones.
    #[default]
    Root,
    /// Everybody becomes the anonymous user.
    All,
}

/// How a share maps identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityPolicy {
    /// Whom to squash.
    pub squash: Squash,
    /// The anonymous user.
    pub anonymous_uid: u32,
    /// The anonymous group.
    pub anonymous_gid: u32,
}

impl Default for IdentityPolicy {
    fn default() -> Self {
        IdentityPolicy { squash: Squash::Root, anonymous_uid: NOBODY, anonymous_gid: NOBODY }
    }
}

impl IdentityPolicy {
    /// The credentials that `presented` gets on this share; `None` (no identity at all) gets the anonymous ones, and so
    /// does [`NO_ID`] in every position.
    pub fn map(&self, presented: Option<&Credentials>) -> Credentials {
        let anonymous = Credentials::user(self.anonymous_uid, self.anonymous_gid);
        let known = |id: u32, anonymous: u32| if id == NO_ID { anonymous } else { id };
        let gid = |gid: u32| known(self.map_gid(gid), self.anonymous_gid);
        match (self.squash, presented) {
            (Squash::All, _) | (_, None) => anonymous,
            (Squash::None | Squash::Root, Some(c)) => Credentials {
                uid: known(self.map_uid(c.uid), self.anonymous_uid),
                gid: gid(c.gid),
                groups: c.groups.iter().map(|group| gid(*group)).collect(),
            },
        }
    }

    /// An owner that a client asks to set, mapped as its identity would be. [`NO_ID`] stays, so that the rules refuse
    /// it.
    pub fn map_uid(&self, uid: u32) -> u32 {
        match self.squash {
            _ if uid == NO_ID => NO_ID,
            Squash::None => uid,
            Squash::Root if uid != 0 => uid,
            Squash::Root | Squash::All => self.anonymous_uid,
        }
    }

    /// A group that a client asks to set or presents, mapped in the same way.
    pub fn map_gid(&self, gid: u32) -> u32 {
        match self.squash {
            _ if gid == NO_ID => NO_ID,
            Squash::None => gid,
            Squash::Root if gid != 0 => gid,
            Squash::Root | Squash::All => self.anonymous_gid,
        }
    }
}
