use dittofs_domain::ShareId;
use dittofs_smb_wire::info::{
    FileSystemAttributes, VolumeClass,
    volume::{FILE_READ_ONLY_DEVICE, encode},
};

use super::{facts, label};

#[test]
fn the_label_fills_the_fixed_part_and_is_never_too_long() {
    assert_eq!(label("a"), "a  ");
    assert_eq!(label("export"), "export");
    assert_eq!(label(&"ä".repeat(40)), "ä".repeat(32));
}

#[test]
fn every_answer_has_at_least_its_fixed_part() {
    let facts = facts(ShareId(7 << 32 | 1), "a", false);
    for class in VolumeClass::ALL {
        let encoded = encode(class, &facts, 4096).unwrap();
        assert!(encoded.bytes.len() >= class.minimum_length() && !encoded.overflow, "{class:?}");
    }
}

#[test]
fn a_share_that_refuses_changes_says_so() {
    let facts = facts(ShareId(1), "export", true);
    assert!(facts.file_system.attributes.contains(FileSystemAttributes::READ_ONLY_VOLUME));
    assert!(facts.device_characteristics & FILE_READ_ONLY_DEVICE != 0);
}

#[test]
fn other_shares_are_other_volumes() {
    let (one, other) = (facts(ShareId(1), "a", false), facts(ShareId(1 << 33), "a", false));
    assert_ne!(one.serial_number, other.serial_number);
    assert_ne!(one.object_id, other.object_id);
}
