//! Inheritance: the entries of a directory that a new node gets.

use super::{Ace, AceFlags, Acl, AclFlags, Who};
use crate::node::NodeKind;

impl Acl {
    /// The list that a node of this kind, owner and group inherits from a directory with this list; none if nothing is
    /// inherited (RFC 8881, 6.4.3.1; MS-DTYP, 2.5.3.4.1).
    ///
    /// Entries are marked as inherited where the directory's own list is of a program that marks them.
    pub fn inherited(&self, kind: NodeKind, (uid, gid): (u32, u32)) -> Option<Acl> {
        let marks = self.flags.contains(AclFlags::AUTO_INHERITED);
        let mark = if marks { AceFlags::INHERITED } else { AceFlags::empty() };
        let mut entries = Vec::new();
        for ace in self.entries.iter().filter(|ace| ace.is_inheritable()) {
            let with_flags = |flags| Ace { flags: flags | mark, ..ace.clone() };
            if kind != NodeKind::Directory {
                if ace.flags.contains(AceFlags::FILE_INHERIT) {
                    entries.push(of_creator(with_flags(AceFlags::empty()), uid, gid));
                }
                continue;
            }
            let propagates = !ace.flags.contains(AceFlags::NO_PROPAGATE);
            let passed_on = if propagates { ace.flags & AceFlags::INHERITABLE } else { AceFlags::empty() };
            if !ace.flags.contains(AceFlags::DIRECTORY_INHERIT) {
                // For files below, and not for the directory itself.
                if propagates {
                    entries.push(with_flags(passed_on | AceFlags::INHERIT_ONLY));
                }
            } else if propagates && matches!(ace.who, Who::CreatorOwner | Who::CreatorGroup) {
                // Whoever makes something below may be somebody else.
                entries.push(of_creator(with_flags(AceFlags::empty()), uid, gid));
                entries.push(with_flags(passed_on | AceFlags::INHERIT_ONLY));
            } else {
                entries.push(of_creator(with_flags(passed_on), uid, gid));
            }
        }
        let flags = self.flags & AclFlags::AUTO_INHERITED;
        (!entries.is_empty()).then_some(Acl { flags, entries })
    }
}

/// An entry for who makes something, as one for its owner or group.
fn of_creator(ace: Ace, uid: u32, gid: u32) -> Ace {
    let who = match ace.who {
        Who::CreatorOwner => Who::User(uid),
        Who::CreatorGroup => Who::NamedGroup(gid),
        who => who,
    };
    Ace { who, ..ace }
}
