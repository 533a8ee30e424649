//! The rights that a list grants.

use super::{Ace, AceKind, Acl, Who};
use crate::{
    access::AccessMask,
    credentials::{Credentials, NOBODY},
};

impl Acl {
    /// The rights that a list grants to somebody who is not privileged, on a node of this owner and group: all that
    /// could be asked for (MS-DTYP, 2.5.3.2, with MAXIMUM_ALLOWED; RFC 8881, 6.2.1).
    ///
    /// The owner may always read and change the list, so that nobody shuts himself out, unless an entry for the owner's
    /// rights says otherwise. Attributes can be read by everybody: NFS has no call for them that could be refused, and
    /// Samba does the same.
    pub(crate) fn granted(&self, (uid, gid): (u32, u32), credentials: &Credentials) -> AccessMask {
        if self.is_unrestricted() {
            return AccessMask::all();
        }
        let owns = credentials.uid == uid;
        let mut granted = AccessMask::READ_ATTRIBUTES;
        if owns && !self.limits_owner() {
            granted |= AccessMask::READ_ACL | AccessMask::WRITE_ACL;
        }
        let mut denied = AccessMask::empty();
        for ace in self.entries.iter().filter(|ace| ace.is_effective()) {
            let is_meant = match &ace.who {
                Who::Owner | Who::OwnerRights => owns,
                Who::Group => credentials.in_group(gid),
                Who::Everyone => true,
                Who::User(uid) => credentials.uid == *uid,
                Who::NamedGroup(gid) => credentials.in_group(*gid),
                Who::Other(sid) => credentials.uid != NOBODY && sid.is_of_all_users(),
                Who::CreatorOwner | Who::CreatorGroup => false,
            };
            match ace.kind {
                AceKind::Allow if is_meant => granted |= ace.mask - denied,
                AceKind::Deny if is_meant => denied |= ace.mask - granted,
                AceKind::Allow | AceKind::Deny => {}
            }
        }
        granted
    }

    /// Whether somebody may execute: what nobody may execute, the privileged user may not either.
    pub(crate) fn lets_somebody_execute(&self) -> bool {
        let lets = |ace: &Ace| ace.is_effective() && ace.kind == AceKind::Allow;
        self.is_unrestricted() || self.entries.iter().any(|ace| lets(ace) && ace.mask.contains(AccessMask::EXECUTE))
    }

    /// Whether the owner has no rights but those of entries.
    fn limits_owner(&self) -> bool {
        self.entries.iter().any(|ace| ace.is_effective() && ace.who == Who::OwnerRights)
    }
}
