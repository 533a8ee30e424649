use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::access::AccessMask;
use crate::info::strategies::sid;
use crate::security::{AceBody, AceFlags};

#[rustfmt::skip]
const DESCRIPTOR: &[u8] = &[
    1, 0, 0x04, 0x90, 48, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0,
    // The DACL: everyone may read.
    2, 0, 28, 0, 1, 0, 0, 0,
    0, 0, 20, 0, 0x89, 0, 0x12, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    // The owner and the group.
    1, 2, 0, 0, 0, 0, 0, 22, 1, 0, 0, 0, 0xe8, 3, 0, 0,
    1, 2, 0, 0, 0, 0, 0, 22, 2, 0, 0, 0, 100, 0, 0, 0,
];

fn descriptor() -> SecurityDescriptor {
    SecurityDescriptor {
        control: Control::SELF_RELATIVE | Control::DACL_PRESENT | Control::DACL_PROTECTED,
        owner: Some(Sid::unix_user(1000)),
        group: Some(Sid::unix_group(100)),
        sacl: None,
        dacl: Some(Acl::new(vec![Ace::allowed(Sid::EVERYONE, AccessMask::FILE_GENERIC_READ, AceFlags::empty())])),
    }
}

#[test]
fn a_descriptor_has_its_layout() {
    assert_eq!(descriptor().encode().unwrap(), DESCRIPTOR);
    assert_eq!(descriptor().encoded_length(), DESCRIPTOR.len());
    assert_eq!(SecurityDescriptor::decode(&Bytes::from_static(DESCRIPTOR)), Ok(descriptor()));
}

#[test]
fn parts_may_be_anywhere_and_may_be_the_same() {
    let mut bytes = DESCRIPTOR.to_vec();
    bytes[8] = 48;
    let decoded = SecurityDescriptor::decode(&bytes.into()).unwrap();
    assert_eq!((decoded.owner, decoded.group), (descriptor().owner, descriptor().owner));
}

#[test]
fn parts_outside_are_refused() {
    for (offset, value) in [(4, 81), (4, 80), (4, 79), (8, 255), (16, 72)] {
        let mut bytes = DESCRIPTOR.to_vec();
        bytes[offset] = value;
        assert_eq!(SecurityDescriptor::decode(&bytes.into()), Err(Malformed), "{value} at {offset}");
    }
    for length in 0..DESCRIPTOR.len() {
        assert_eq!(SecurityDescriptor::decode(&Bytes::from_static(&DESCRIPTOR[..length])), Err(Malformed));
    }
}

#[test]
fn a_present_dacl_without_bytes_differs_from_an_empty_and_from_no_dacl() {
    let null = SecurityDescriptor { control: Control::DACL_PRESENT, ..SecurityDescriptor::default() };
    let null = SecurityDescriptor::decode(&null.encode().unwrap()).unwrap();
    assert!(null.control.contains(Control::DACL_PRESENT) && null.dacl.is_none());

    let empty = SecurityDescriptor { dacl: Some(Acl::new(Vec::new())), ..SecurityDescriptor::default() };
    let empty = SecurityDescriptor::decode(&empty.encode().unwrap()).unwrap();
    assert!(empty.control.contains(Control::DACL_PRESENT) && empty.dacl == Some(Acl::new(Vec::new())));

    let none = SecurityDescriptor::decode(&SecurityDescriptor::default().encode().unwrap()).unwrap();
    assert!(!none.control.contains(Control::DACL_PRESENT) && none.dacl.is_none());
}

#[test]
fn a_list_that_is_not_present_is_not_read() {
    let mut bytes = DESCRIPTOR.to_vec();
    bytes[2] = 0;
    bytes[16] = 255;
    assert_eq!(SecurityDescriptor::decode(&bytes.into()).unwrap().dacl, None);
}

fn with_sacl() -> SecurityDescriptor {
    let ace = |ace_type| Ace { ace_type, flags: AceFlags::empty(), body: AceBody::Opaque(Bytes::new()) };
    SecurityDescriptor {
        control: descriptor().control | Control::SACL_PRESENT | Control::OWNER_DEFAULTED,
        sacl: Some(Acl::new([0x02, 0x11, 0x12, 0x13].map(ace).to_vec())),
        ..descriptor()
    }
}

#[test]
fn a_filtered_descriptor_has_the_parts_that_are_asked_for() {
    let all = with_sacl();
    let owner = all.filtered(SecurityInformation::OWNER);
    let control = Control::SELF_RELATIVE | Control::OWNER_DEFAULTED;
    assert_eq!(owner, SecurityDescriptor { control, owner: all.owner, ..SecurityDescriptor::default() });

    let group_and_dacl = all.filtered(SecurityInformation::GROUP | SecurityInformation::DACL);
    assert_eq!(group_and_dacl, SecurityDescriptor { owner: None, ..descriptor() });

    assert_eq!(all.filtered(SecurityInformation::BACKUP), all);
    let nothing = all.filtered(SecurityInformation::empty());
    assert_eq!(nothing, SecurityDescriptor { control: Control::SELF_RELATIVE, ..SecurityDescriptor::default() });
}

#[test]
fn a_sacl_is_filtered_by_the_types_of_its_entries() {
    let types = |parts| {
        let sacl = with_sacl().filtered(parts).sacl;
        sacl.map(|sacl| sacl.aces.iter().map(|ace| ace.ace_type).collect::<Vec<_>>())
    };
    assert_eq!(types(SecurityInformation::SACL), Some(vec![0x02]));
    assert_eq!(types(SecurityInformation::LABEL), Some(vec![0x11]));
    assert_eq!(types(SecurityInformation::ATTRIBUTE | SecurityInformation::SCOPE), Some(vec![0x12, 0x13]));

    let label = SecurityDescriptor { sacl: Some(Acl::new(Vec::new())), ..with_sacl() };
    let label = label.filtered(SecurityInformation::LABEL);
    assert!(label.sacl.is_none() && !label.control.contains(Control::SACL_PRESENT));
}

fn acl() -> impl Strategy<Value = Acl> {
    let access = (0..=1u8, any::<u8>(), any::<u32>(), sid()).prop_map(|(ace_type, flags, mask, sid)| Ace {
        ace_type,
        flags: AceFlags::from_bits_retain(flags),
        body: AceBody::Access { mask: AccessMask::from_bits_retain(mask), sid },
    });
    let opaque = (2u8.., any::<u8>(), vec(any::<[u8; 4]>(), 0..8)).prop_map(|(ace_type, flags, words)| Ace {
        ace_type,
        flags: AceFlags::from_bits_retain(flags),
        body: AceBody::Opaque(words.concat().into()),
    });
    (prop_oneof![Just(2), Just(4)], vec(prop_oneof![access, opaque], 0..8))
        .prop_map(|(revision, aces)| Acl { revision, aces })
}

proptest! {
    #[test]
    fn a_descriptor_comes_back(
        owner in option::of(sid()),
        group in option::of(sid()),
        sacl in option::of(acl()),
        dacl in option::of(acl()),
    ) {
        let mut control = Control::SELF_RELATIVE | Control::DACL_AUTO_INHERITED;
        control.set(Control::SACL_PRESENT, sacl.is_some());
        control.set(Control::DACL_PRESENT, dacl.is_some());
        let descriptor = SecurityDescriptor { control, owner, group, sacl, dacl };
        let bytes = descriptor.encode().unwrap();
        prop_assert_eq!(bytes.len(), descriptor.encoded_length());
        prop_assert_eq!(SecurityDescriptor::decode(&bytes), Ok(descriptor));
    }
}
