use dittofs_domain::access::AccessMask;
use dittofs_smb_wire::{NtStatus, query_info::SecurityInformation};

use super::demand;

#[test]
fn each_part_needs_the_right_to_read_it_and_none_needs_nothing() {
    let (without, with) = (AccessMask::all() - AccessMask::READ_ACL, AccessMask::READ_ACL);
    assert_eq!(demand(without, SecurityInformation::empty()), Ok(()));
    for part in [SecurityInformation::OWNER, SecurityInformation::GROUP, SecurityInformation::DACL] {
        assert_eq!(demand(without, part), Err(NtStatus::ACCESS_DENIED));
        assert_eq!(demand(with, part), Ok(()));
    }
    assert_eq!(demand(AccessMask::all(), SecurityInformation::SACL), Err(NtStatus::ACCESS_DENIED));
}
