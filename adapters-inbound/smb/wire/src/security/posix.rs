use super::ace::{Ace, AceFlags};
use super::acl::Acl;
use super::descriptor::{Control, SecurityDescriptor};
use super::sid::Sid;
use crate::access::AccessMask;

/// A descriptor that says what a POSIX mode says: one entry each for the owner, the group and everyone, in this order,
/// with the rights of [`access_of_permissions`].
///
/// The entries only allow. So a user gets the rights of all entries that fit, whereas POSIX gives those of the first:
/// of a mode like 0o077 the descriptor says more than is granted. Samba's says the same. The descriptor describes
/// access; it doesn't decide on it.
///
/// The bit DACL_PROTECTED says that nothing is inherited, which is true of POSIX permissions.
#[must_use]
pub fn posix_descriptor(owner: Sid, group: Sid, mode: u32, is_directory: bool) -> SecurityDescriptor {
    let entry =
        |sid, permissions| Ace::allowed(sid, access_of_permissions(permissions, is_directory), AceFlags::empty());
    SecurityDescriptor {
        control: Control::SELF_RELATIVE | Control::DACL_PRESENT | Control::DACL_PROTECTED,
        owner: Some(owner),
        group: Some(group),
        sacl: None,
        dacl: Some(Acl::new(vec![entry(owner, mode >> 6), entry(group, mode >> 3), entry(Sid::EVERYONE, mode)])),
    }
}

/// The rights that three permission bits (`rwx`, 0 to 7; higher bits are ignored) stand for. The table is the one of
/// Samba without extended ACLs:
///
/// | bits | file | directory |
/// | --- | --- | --- |
/// | `rwx` | 0x001E01FF: all but DELETE | 0x001F01FF: all |
/// | `r` | 0x00120089: FILE_GENERIC_READ | the same |
/// | `w` | 0x00120116: FILE_GENERIC_WRITE | and DELETE_CHILD: 0x00120156 |
/// | `x` | 0x001200A0: FILE_GENERIC_EXECUTE | the same |
/// | none | 0 | 0 |
///
/// Other combinations are the union of their bits. A file is deleted by the right of its directory, so that a file has
/// no DELETE itself.
#[must_use]
pub fn access_of_permissions(permissions: u32, is_directory: bool) -> AccessMask {
    if permissions & 0o7 == 0o7 {
        let file = AccessMask::FILE_ALL_ACCESS - AccessMask::DELETE;
        return if is_directory { AccessMask::FILE_ALL_ACCESS } else { file };
    }
    let mut access = AccessMask::empty();
    if permissions & 0o4 != 0 {
        access |= AccessMask::FILE_GENERIC_READ;
    }
    if permissions & 0o2 != 0 {
        access |= AccessMask::FILE_GENERIC_WRITE;
        access.set(AccessMask::FILE_DELETE_CHILD, is_directory);
    }
    if permissions & 0o1 != 0 {
        access |= AccessMask::FILE_GENERIC_EXECUTE;
    }
    access
}

#[cfg(test)]
mod tests;
