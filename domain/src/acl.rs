//! Access control lists: those of NFSv4 (RFC 8881, 6.2), which Windows has as well (MS-DTYP, 2.4.5). Both give the
//! rights the same bits, and both go through the entries in their order.
//!
//! A node without a list is governed by its mode. A node with one still shows a mode: what the list says of the owner,
//! the group and everyone ([`Acl::permission_bits`]). Only [`crate::access::granted`] decides by a list.

mod codec;
mod entry;
mod evaluate;
mod inherit;
mod projection;

use bitflags::bitflags;
use thiserror::Error;

pub use codec::NoAcl;
pub use entry::{Ace, AceFlags, AceKind, Who};

/// The most bytes of the kept form of a list that a client sets ([`Acl::to_bytes`]): room for 186 entries of ids. In
/// memory it takes three times as much, about as the longest target of a symlink, since views and listings carry both.
/// What rules make of a list has at most twice as many entries and five more.
pub const ACL_BYTES_MAX: usize = 2_048;

bitflags! {
    /// Facts about a list as a whole (MS-DTYP, 2.4.6).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct AclFlags: u8 {
        /// It takes no entries from the directory above (DACL_PROTECTED).
        const PROTECTED = 1;
        /// It was made by a program that marks inherited entries (DACL_AUTO_INHERITED); what inherits from it marks
        /// them.
        const AUTO_INHERITED = 2;
        /// There is no list (a NULL DACL): everybody may do all. Such a one has no entries.
        const UNRESTRICTED = 4;
    }
}

/// An access control list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Acl {
    flags: AclFlags,
    entries: Vec<Ace>,
}

/// A list of more than [`ACL_BYTES_MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the access control list is too long")]
pub struct TooLong;

impl Acl {
    /// A list of these entries, as a client sets it.
    ///
    /// # Errors
    /// `TooLong` if it takes more than [`ACL_BYTES_MAX`].
    pub fn new(entries: Vec<Ace>, flags: AclFlags) -> Result<Acl, TooLong> {
        let acl = Acl { flags: flags - AclFlags::UNRESTRICTED, entries };
        if acl.encoded_len() > ACL_BYTES_MAX { Err(TooLong) } else { Ok(acl) }
    }

    /// No list at all: everybody may do all.
    pub fn unrestricted(flags: AclFlags) -> Acl {
        Acl { flags: flags | AclFlags::UNRESTRICTED, entries: Vec::new() }
    }

    /// Facts about the list as a whole.
    pub fn flags(&self) -> AclFlags {
        self.flags
    }

    /// The entries, in the order in which they are evaluated.
    pub fn entries(&self) -> &[Ace] {
        &self.entries
    }

    /// Whether a mode has been set since a client has set the list as a whole: only a mode has entries for whoever the
    /// owner or the group is.
    pub fn is_of_mode(&self) -> bool {
        self.entries.iter().any(|ace| matches!(ace.who, Who::Owner | Who::Group))
    }

    /// Whether everybody may do all.
    pub fn is_unrestricted(&self) -> bool {
        self.flags.contains(AclFlags::UNRESTRICTED)
    }
}

#[cfg(test)]
mod tests;
