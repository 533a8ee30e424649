//! Lists and modes.

use super::{Ace, AceFlags, AceKind, Acl, Who};
use crate::access::{AccessMask, OWNER_RIGHTS, permissions};

/// Whom the digits of a mode are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Owner,
    Group,
    Everyone,
}

const WRITE: AccessMask = AccessMask::WRITE_DATA.union(AccessMask::APPEND_DATA);
const CHANGE: AccessMask = WRITE
    .union(AccessMask::WRITE_NAMED_ATTRS)
    .union(AccessMask::DELETE_CHILD)
    .union(AccessMask::DELETE)
    .union(OWNER_RIGHTS);

impl Acl {
    /// The nine permission bits that a list stands for, on a node of this owner and group (RFC 8881, 6.3.2).
    ///
    /// An entry that names the owner or the group by its id counts like one for OWNER@ or GROUP@: Windows knows no
    /// others. One for all who have logged on counts for everyone.
    pub fn permission_bits(&self, owner: (u32, u32)) -> u16 {
        [Class::Owner, Class::Group, Class::Everyone].into_iter().fold(0, |bits, class| {
            let mask = self.permitted(class, owner);
            let digit = u16::from(mask.contains(AccessMask::READ_DATA)) << 2
                | u16::from(mask.contains(WRITE)) << 1
                | u16::from(mask.contains(AccessMask::EXECUTE));
            bits << 3 | digit
        })
    }

    fn permitted(&self, class: Class, owner: (u32, u32)) -> AccessMask {
        if self.is_unrestricted() {
            return AccessMask::all();
        }
        let (mut granted, mut denied) = (AccessMask::empty(), AccessMask::empty());
        for ace in self.entries.iter().filter(|ace| ace.is_effective()) {
            match (class_of(&ace.who, owner), ace.kind) {
                (Some(of), _) if of != class && of != Class::Everyone => {}
                (Some(_), AceKind::Allow) => granted |= ace.mask - denied,
                (Some(_), AceKind::Deny) => denied |= ace.mask - granted,
                (None, _) => {}
            }
        }
        granted
    }

    /// The list after chmod (RFC 8881, 6.4.1.1); none if the mode says all that is left of it.
    ///
    /// Entries for the owner, the group and everyone are replaced by those of the mode. Others lose what the group may
    /// not do, and what an entry that goes denied before them; what is only inherited stays. The entries are in the
    /// order that Windows calls canonical wherever no digit of the mode grants what one before it does not.
    pub fn with_mode(&self, bits: u16, owner: (u32, u32), is_directory: bool) -> Option<Acl> {
        let entries = self.entries.strip_prefix(&entries_before_mode()).unwrap_or(&self.entries);
        let mut lost = withheld(bits);
        let mut kept = Vec::new();
        for ace in entries {
            // Those of the owner alone are left out: the owner can give it all to himself.
            let is_of_others = matches!(class_of(&ace.who, owner), Some(Class::Group | Class::Everyone));
            if is_of_others && ace.is_effective() && ace.kind == AceKind::Deny {
                lost |= ace.mask;
            }
            kept.extend(limited(ace, lost, owner));
        }
        if kept.is_empty() {
            return None;
        }
        let (before, after) = entries_of(bits, is_directory);
        let entries = before.into_iter().chain(kept).chain(after).collect();
        Some(Acl { flags: self.flags, entries })
    }

    /// The list of what is made without a mode, until there is one: nobody has more than mode 0 gives. The first
    /// [`Acl::with_mode`] takes just that away again, and limits what was inherited.
    pub(crate) fn before_mode(self) -> Acl {
        Acl { flags: self.flags, entries: entries_before_mode().into_iter().chain(self.entries).collect() }
    }
}

/// The entries in front of a list that waits for a mode. No client can set these: it has no name for the owner, whoever
/// that is.
fn entries_before_mode() -> [Ace; 2] {
    let of_owner = Ace::allow(Who::Owner, permissions(0, false) | OWNER_RIGHTS);
    [of_owner, Ace::deny(Who::Everyone, AccessMask::all())]
}

/// The class that an entry is about; none for one about others.
fn class_of(who: &Who, (uid, gid): (u32, u32)) -> Option<Class> {
    match who {
        Who::Owner | Who::OwnerRights => Some(Class::Owner),
        Who::User(user) if *user == uid => Some(Class::Owner),
        Who::Group => Some(Class::Group),
        Who::NamedGroup(group) if *group == gid => Some(Class::Group),
        Who::Everyone => Some(Class::Everyone),
        Who::Other(sid) if sid.is_of_all_users() => Some(Class::Everyone),
        Who::User(_) | Who::NamedGroup(_) | Who::Other(_) | Who::CreatorOwner | Who::CreatorGroup => None,
    }
}

/// The rest of an entry after chmod, if those whom it names lose these rights: of one that is both effective and
/// inheritable, two.
fn limited(ace: &Ace, lost: AccessMask, owner: (u32, u32)) -> Vec<Ace> {
    if !ace.is_effective() {
        return vec![ace.clone()];
    }
    let mask = match (class_of(&ace.who, owner), ace.kind) {
        (Some(_), _) => AccessMask::empty(),
        (None, AceKind::Deny) => ace.mask,
        (None, AceKind::Allow) => ace.mask - lost,
    };
    // It is no longer as it was inherited.
    let flags = ace.flags - AceFlags::INHERITED;
    if mask == ace.mask {
        return vec![Ace { flags, ..ace.clone() }];
    }
    let decides = (!mask.is_empty()).then(|| Ace { mask, flags: AceFlags::empty(), ..ace.clone() });
    let passes_on = ace.is_inheritable().then(|| Ace { flags: flags | AceFlags::INHERIT_ONLY, ..ace.clone() });
    decides.into_iter().chain(passes_on).collect()
}

/// The rights that nobody but the owner and everyone may have by this mode: those that the group has not. Who may not
/// write the content may change nothing else either: the list least of all, which would give all back.
fn withheld(bits: u16) -> AccessMask {
    let mut withheld = AccessMask::empty();
    withheld.set(AccessMask::READ_DATA | AccessMask::READ_NAMED_ATTRS, bits & 0o040 == 0);
    withheld.set(CHANGE, bits & 0o020 == 0);
    withheld.set(AccessMask::EXECUTE, bits & 0o010 == 0);
    withheld
}

/// The entries that say what a mode says: those before the entries of others, and those after them.
///
/// Each class gets only its own digit, as POSIX has it. So what later digits grant is denied to it first.
fn entries_of(bits: u16, is_directory: bool) -> (Vec<Ace>, Vec<Ace>) {
    let (owner, group, other) = (bits >> 6 & 7, bits >> 3 & 7, bits & 7);
    let data = |digit: u16| permissions(digit, is_directory) - permissions(0, is_directory);
    let owner_lacks = data((group | other) & !owner);
    let group_lacks = data(other & !group);
    let of_owner = Ace::allow(Who::Owner, permissions(owner, is_directory) | OWNER_RIGHTS);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    if !owner_lacks.is_empty() {
        before.push(Ace::deny(Who::Owner, owner_lacks));
    }
    if group_lacks.is_empty() {
        after.push(of_owner);
    } else {
        // The owner may be of the group.
        before.push(of_owner);
        before.push(Ace::deny(Who::Group, group_lacks));
    }
    after.push(Ace::allow(Who::Group, permissions(group, is_directory)));
    after.push(Ace::allow(Who::Everyone, permissions(other, is_directory)));
    (before, after)
}

#[cfg(test)]
mod tests;
