//! Entries of a list.

use bitflags::bitflags;

use crate::{access::AccessMask, users::Sid};

/// The effect of an entry (RFC 8881, 6.2.1.1). Entries that audit are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AceKind {
    /// Grants what no entry before it denies.
    Allow,
    /// Denies what no entry before it grants.
    Deny,
}

bitflags! {
    /// Inheritance of an entry (RFC 8881, 6.2.1.4; MS-DTYP, 2.4.4.1), with the bits of Windows.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct AceFlags: u8 {
        /// All but directories inherit it.
        const FILE_INHERIT = 0x01;
        /// Directories inherit it.
        const DIRECTORY_INHERIT = 0x02;
        /// Directories that inherit it don't pass it on.
        const NO_PROPAGATE = 0x04;
        /// It is there to be inherited only, and decides nothing on the directory itself.
        const INHERIT_ONLY = 0x08;
        /// It was inherited.
        const INHERITED = 0x10;
        /// One of these: something inherits it.
        const INHERITABLE = 0x03;
    }
}

/// Whom an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// The owner, whoever that is (OWNER@).
    Owner,
    /// The group, whichever that is (GROUP@).
    Group,
    /// Everybody (EVERYONE@, S-1-1-0).
    Everyone,
    /// The owner, whoever that is, who then has no other rights than entries give (OWNER RIGHTS, S-1-3-4).
    OwnerRights,
    /// Who owns what inherits the entry (CREATOR OWNER, S-1-3-0).
    CreatorOwner,
    /// The group of what inherits the entry (CREATOR GROUP, S-1-3-1).
    CreatorGroup,
    /// A user.
    User(u32),
    /// A group of users.
    NamedGroup(u32),
    /// Somebody else that Windows has a name for. It is kept, so that a client reads what it wrote. Of these only those
    /// of [`Sid::is_of_all_users`] can be told: they are all but nobody.
    Other(Box<Sid>),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ace {
    /// Its effect.
    pub kind: AceKind,
    /// Whom it is about.
    pub who: Who,
    /// How it is inherited.
    pub flags: AceFlags,
    /// The rights.
    pub mask: AccessMask,
}

impl Ace {
    /// Grants rights, to be inherited by nothing.
    pub fn allow(who: Who, mask: AccessMask) -> Ace {
        Ace { kind: AceKind::Allow, who, flags: AceFlags::empty(), mask }
    }

    /// Denies rights, to be inherited by nothing.
    pub fn deny(who: Who, mask: AccessMask) -> Ace {
        Ace { kind: AceKind::Deny, ..Ace::allow(who, mask) }
    }

    /// The same, to be inherited like this.
    pub fn with_flags(self, flags: AceFlags) -> Ace {
        Ace { flags, ..self }
    }

    /// Whether it decides on the node that has it.
    pub fn is_effective(&self) -> bool {
        !self.flags.contains(AceFlags::INHERIT_ONLY)
    }

    /// Whether something inherits it.
    pub fn is_inheritable(&self) -> bool {
        self.flags.intersects(AceFlags::INHERITABLE)
    }
}
