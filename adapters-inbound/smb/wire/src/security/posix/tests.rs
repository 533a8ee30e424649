use super::*;
use crate::security::AceBody;

#[test]
fn permissions_have_the_rights_of_the_table() {
    let cases = [
        (0o0, 0, 0),
        (0o1, 0x0012_00A0, 0x0012_00A0),
        (0o2, 0x0012_0116, 0x0012_0156),
        (0o3, 0x0012_01B6, 0x0012_01F6),
        (0o4, 0x0012_0089, 0x0012_0089),
        (0o5, 0x0012_00A9, 0x0012_00A9),
        (0o6, 0x0012_019F, 0x0012_01DF),
        (0o7, 0x001E_01FF, 0x001F_01FF),
    ];
    for (permissions, file, directory) in cases {
        assert_eq!(access_of_permissions(permissions, false).bits(), file, "{permissions:o}");
        assert_eq!(access_of_permissions(permissions, true).bits(), directory, "{permissions:o}");
        assert_eq!(access_of_permissions(permissions | 0o770, true).bits(), directory, "higher bits are ignored");
    }
}

#[test]
fn a_descriptor_has_an_entry_for_owner_group_and_everyone() {
    let (owner, group) = (Sid::unix_user(1000), Sid::unix_group(100));
    let descriptor = posix_descriptor(owner, group, 0o4640, false);
    assert_eq!((descriptor.owner, descriptor.group), (Some(owner), Some(group)));
    let aces = descriptor.dacl.unwrap().aces;
    let entries: Vec<_> = aces
        .iter()
        .map(|ace| match &ace.body {
            AceBody::Access { mask, sid } => (ace.ace_type, ace.flags.bits(), *sid, mask.bits()),
            AceBody::Opaque(_) => unreachable!(),
        })
        .collect();
    assert_eq!(entries, [(0, 0, owner, 0x0012_019F), (0, 0, group, 0x0012_0089), (0, 0, Sid::EVERYONE, 0)]);
    assert!(descriptor.control.contains(Control::DACL_PRESENT | Control::DACL_PROTECTED));
}

#[test]
fn generic_rights_are_replaced() {
    let generic = AccessMask::GENERIC_READ | AccessMask::GENERIC_EXECUTE | AccessMask::DELETE;
    assert_eq!(generic.without_generic().bits(), 0x0013_00A9);
    assert_eq!((AccessMask::GENERIC_ALL | AccessMask::GENERIC_WRITE).without_generic(), AccessMask::FILE_ALL_ACCESS);
    assert_eq!(AccessMask::FILE_READ_DATA.without_generic(), AccessMask::FILE_READ_DATA);
}
