use dittofs_domain::access::AccessMask;
use dittofs_smb_wire::{NtStatus, query_info::SecurityInformation};

use super::demand;

#[test]
fn each_part_needs_its_own_right() {
    let all = AccessMask::all();
    let rights = [
        (SecurityInformation::OWNER, AccessMask::WRITE_OWNER),
        (SecurityInformation::GROUP, AccessMask::WRITE_OWNER),
        (SecurityInformation::DACL, AccessMask::WRITE_ACL),
    ];
    for (part, right) in rights {
        assert_eq!(demand(right, part), Ok(()));
        assert_eq!(demand(all - right, part), Err(NtStatus::ACCESS_DENIED));
    }
    assert_eq!(demand(AccessMask::empty(), SecurityInformation::empty()), Ok(()));
    for part in [SecurityInformation::SACL, SecurityInformation::LABEL, SecurityInformation::BACKUP] {
        assert_eq!(demand(all, part), Err(NtStatus::ACCESS_DENIED));
        assert_eq!(demand(all, part | SecurityInformation::DACL), Err(NtStatus::ACCESS_DENIED));
    }
}
