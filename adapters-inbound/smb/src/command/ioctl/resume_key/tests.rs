use dittofs_smb_wire::identifiers::FileId;
use proptest::prelude::*;

use super::{of, volatile};

proptest! {
    #[test]
    fn a_key_leads_to_its_open_and_to_no_other(session: u64, persistent: u64, number: u64, other: (u64, u64, u64)) {
        let key = of(session, FileId { persistent, volatile: number });
        prop_assert_eq!(volatile(key), number);
        let is_same = other == (session, persistent, number);
        let theirs = of(other.0, FileId { persistent: other.1, volatile: other.2 });
        prop_assert_eq!(theirs == key, is_same);
    }
}
