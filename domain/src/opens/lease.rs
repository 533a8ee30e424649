//! Caching rights, and the one matrix of what takes them away.

use bitflags::bitflags;

use crate::{access::AccessMask, client::ClientId};

bitflags! {
    /// The operations that a client may do without asking (MS-SMB2, 2.2.13.2.8; an NFSv4 delegation to read is
    /// `READ | HANDLE`, one to write all three).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct Rights: u8 {
        /// Answer reads from its cache.
        const READ = 1;
        /// Keep closed files open here, and open them again without asking.
        const HANDLE = 2;
        /// Keep writes and locks to itself.
        const WRITE = 4;
    }
}

impl Rights {
    /// The most that can be cached of a directory: nobody writes to one (MS-SMB2, 2.2.13.2.8).
    pub const OF_DIRECTORY: Rights = Rights::READ.union(Rights::HANDLE);
}

/// The shapes that caching rights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseForm {
    /// An SMB lease: any subset with `READ`. Goes with its last open; may be empty and grow again until then.
    Lease,
    /// An SMB oplock: level II is `READ`, exclusive `READ | WRITE`, batch all three; a break leaves level II at most.
    Oplock,
    /// An NFSv4 delegation: given and taken back as a whole, and kept when files are closed. Reading is all that
    /// others may do under one to read (RFC 8881, 10.4).
    Delegation,
}

/// Whose rights they are. What is done under the same key takes nothing away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    /// The client.
    pub client: ClientId,
    /// The shape.
    pub form: LeaseForm,
    /// The client's key of a lease; the open's token for an oplock; 0 for a delegation.
    pub id: u128,
}

/// Whether rights are being taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseState {
    /// They hold.
    Granted,
    /// Their holder was notified, and has not acknowledged yet.
    Breaking {
        /// The rights that the holder may keep.
        to: Rights,
        /// The rights that others leave it, who have come since: a lease that keeps more is broken again at once.
        required: Rights,
        /// Whether this is such a further break. Others who open wait for all of them, as with Windows.
        is_further: bool,
        /// When they are revoked, in milliseconds of the caller's monotonic clock. Counted from the break, never
        /// from the grant.
        deadline_ms: u64,
    },
}

/// Caching rights of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The rights of the holder, until it acknowledges a break.
    pub rights: Rights,
    /// Raised, wrapping, by every grant and break (MS-SMB2, 3.3.1.4).
    pub epoch: u16,
    /// Whether they are being taken away.
    pub state: LeaseState,
}

/// An operation under another key that can take rights away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// Opens, not to write.
    OpenRead,
    /// Opens to read attributes and access rights, and for nothing else.
    OpenSecurity,
    /// Opens to write.
    OpenWrite,
    /// Opens and truncates.
    OpenTruncate,
    /// Opens, renames or removes where only the share mode of a perhaps cached open is in the way.
    ShareConflict,
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Changes the size.
    Truncate,
    /// Locks a range.
    Lock,
    /// Renames.
    Rename,
    /// Removes a name.
    Remove,
    /// Adds a name.
    Link,
    /// Sets attributes.
    SetAttributes,
    /// Adds, removes, renames or changes what a directory lists.
    ChangeEntries,
}

impl Trigger {
    /// The rights that cannot be kept (MS-FSA, 2.1.4.12).
    pub const fn takes(self) -> Rights {
        match self {
            Trigger::OpenRead | Trigger::OpenSecurity | Trigger::OpenWrite | Trigger::Read | Trigger::SetAttributes => {
                Rights::WRITE
            }
            Trigger::OpenTruncate | Trigger::Write | Trigger::Truncate | Trigger::Lock | Trigger::ChangeEntries => {
                Rights::all()
            }
            Trigger::ShareConflict | Trigger::Rename | Trigger::Remove | Trigger::Link => Rights::HANDLE,
        }
    }

    /// Returns the effect of an open with these rights on those who cache; none if it concerns nobody (MS-FSA, 2.1.5.1.2.2).
    pub fn of_open(rights: AccessMask, truncate: bool) -> Option<Trigger> {
        const ATTRIBUTES: AccessMask =
            AccessMask::READ_ATTRIBUTES.union(AccessMask::WRITE_ATTRIBUTES).union(AccessMask::SYNCHRONIZE);
        if truncate {
            Some(Trigger::OpenTruncate)
        } else if rights.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA) {
            Some(Trigger::OpenWrite)
        } else if ATTRIBUTES.contains(rights) {
            None
        } else if ATTRIBUTES.union(AccessMask::READ_ACL).contains(rights) {
            Some(Trigger::OpenSecurity)
        } else {
            Some(Trigger::OpenRead)
        }
    }

    /// Returns the rights that remain of `rights` in this form: the conflict matrix.
    pub fn leaves(self, form: LeaseForm, rights: Rights) -> Rights {
        // Only oplocks go where access rights are read: as Windows has it.
        if rights.is_empty() || (self == Trigger::OpenSecurity && form != LeaseForm::Oplock) {
            return rights;
        }
        let left = rights - self.takes();
        match form {
            LeaseForm::Lease => left,
            LeaseForm::Oplock if left == rights => rights,
            LeaseForm::Oplock => left & Rights::READ,
            LeaseForm::Delegation => match self {
                Trigger::OpenRead | Trigger::Read if left == rights => rights,
                _ => Rights::empty(),
            },
        }
    }

    /// Whether it opens.
    pub(super) fn opens(self) -> bool {
        let opens = [Trigger::OpenRead, Trigger::OpenSecurity, Trigger::OpenWrite, Trigger::OpenTruncate];
        opens.contains(&self)
    }

    /// Whether it changes or locks content, other than by opening.
    pub(super) fn changes_content(self) -> bool {
        matches!(self, Trigger::Write | Trigger::Truncate | Trigger::Lock)
    }

    /// Whether the operation waits until rights that it takes are given up. Dirty bytes must come back first; a
    /// cached handle must be closed before what it denies is done; a delegation promises that nothing changes under
    /// it. Otherwise the holder loses only what was a copy.
    pub fn waits(self, form: LeaseForm, taken: Rights) -> bool {
        let closes = matches!(self, Trigger::ShareConflict | Trigger::Rename | Trigger::Remove);
        form == LeaseForm::Delegation || taken.contains(Rights::WRITE) || (closes && taken.contains(Rights::HANDLE))
    }
}

impl LeaseForm {
    /// The most of `wanted` that this form can have within `allowed`.
    pub fn fit(self, wanted: Rights, allowed: Rights) -> Rights {
        let fit = wanted & allowed;
        match self {
            _ if !fit.contains(Rights::READ) => Rights::empty(),
            LeaseForm::Lease => fit,
            LeaseForm::Oplock if fit.contains(Rights::WRITE) => fit,
            LeaseForm::Oplock => Rights::READ,
            LeaseForm::Delegation if fit == wanted => fit,
            LeaseForm::Delegation => Rights::empty(),
        }
    }
}
