use bytes::Bytes;

use super::*;
use crate::access::AccessMask;
use crate::security::{AceBody, AceFlags, Sid};

fn encoded(acl: &Acl) -> Bytes {
    let mut writer = Writer::default();
    acl.put(&mut writer).unwrap();
    writer.into_bytes().freeze()
}

#[rustfmt::skip]
const LIST: &[u8] = &[
    2, 0, 60, 0, 3, 0, 0, 0,
    // Everyone may read, and directories inherit it.
    0, 2, 20, 0, 0x89, 0, 0x12, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
    // The anonymous user may not write.
    1, 0, 20, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 7, 0, 0, 0,
    // Something else.
    9, 0x10, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8,
];

fn list() -> Acl {
    Acl::new(vec![
        Ace::allowed(Sid::EVERYONE, AccessMask::FILE_GENERIC_READ, AceFlags::CONTAINER_INHERIT),
        Ace::denied(Sid::ANONYMOUS, AccessMask::FILE_WRITE_DATA, AceFlags::empty()),
        Ace {
            ace_type: 9,
            flags: AceFlags::INHERITED,
            body: AceBody::Opaque(Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7, 8])),
        },
    ])
}

#[test]
fn a_list_has_its_layout() {
    assert_eq!(encoded(&list()), LIST);
    assert_eq!(list().encoded_length(), LIST.len());
    assert_eq!(Acl::read(&mut Reader::new(Bytes::from_static(LIST))), Ok(list()));
}

#[test]
fn a_list_may_have_room_to_spare_but_not_too_little() {
    let mut bytes = [LIST, &[0; 4]].concat();
    bytes[2] += 4;
    assert_eq!(Acl::read(&mut Reader::new(bytes.clone().into())), Ok(list()));
    for length in [0, 7, 8, 59] {
        bytes[2] = length;
        assert_eq!(Acl::read(&mut Reader::new(bytes.clone().into())), Err(Malformed), "{length}");
    }
    bytes[2] = 65;
    assert_eq!(Acl::read(&mut Reader::new(bytes.into())), Err(Malformed));
}

#[test]
fn lists_of_other_revisions_are_refused() {
    for revision in 0..=u8::MAX {
        let bytes = [&[revision], &LIST[1..]].concat();
        assert_eq!(Acl::read(&mut Reader::new(bytes.into())).is_ok(), [2, 4].contains(&revision), "{revision}");
    }
}

#[test]
fn an_entry_whose_sid_leaves_it_is_refused() {
    for (offset, value) in [(10, 16), (10, 3), (10, 0), (17, 2)] {
        let mut bytes = LIST.to_vec();
        bytes[offset] = value;
        assert_eq!(Acl::read(&mut Reader::new(bytes.into())), Err(Malformed), "{value} at {offset}");
    }
}

#[test]
fn a_list_of_more_than_64_kib_is_refused() {
    let entry = Ace::allowed(Sid::EVERYONE, AccessMask::empty(), AceFlags::empty());
    let acl = Acl::new(vec![entry; 65536 / 20 + 1]);
    assert_eq!(acl.put(&mut Writer::default()), Err(TooLong));
}

#[test]
fn opaque_bytes_are_padded() {
    let ace = Ace { ace_type: 2, flags: AceFlags::empty(), body: AceBody::Opaque(Bytes::from_static(&[7])) };
    assert_eq!(encoded(&Acl::new(vec![ace]))[..], [2, 0, 16, 0, 1, 0, 0, 0, 2, 0, 8, 0, 7, 0, 0, 0]);
}
