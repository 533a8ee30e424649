use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::info::strategies::sid;

fn encoded(sid: &Sid) -> Bytes {
    let mut writer = Writer::default();
    sid.put(&mut writer);
    writer.into_bytes().freeze()
}

#[test]
fn the_binary_form_has_a_big_endian_authority_and_little_endian_sub_authorities() {
    let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    assert_eq!(encoded(&Sid::ADMINISTRATORS)[..], bytes);
    assert_eq!(Sid::read(&mut Reader::new(Bytes::copy_from_slice(&bytes))), Ok(Sid::ADMINISTRATORS));
}

#[test]
fn known_sids_have_their_text() {
    let cases = [
        (Sid::NULL, "S-1-0-0"),
        (Sid::EVERYONE, "S-1-1-0"),
        (Sid::CREATOR_OWNER, "S-1-3-0"),
        (Sid::CREATOR_GROUP, "S-1-3-1"),
        (Sid::OWNER_RIGHTS, "S-1-3-4"),
        (Sid::NETWORK, "S-1-5-2"),
        (Sid::ANONYMOUS, "S-1-5-7"),
        (Sid::AUTHENTICATED_USERS, "S-1-5-11"),
        (Sid::LOCAL_SYSTEM, "S-1-5-18"),
        (Sid::ADMINISTRATORS, "S-1-5-32-544"),
        (Sid::USERS, "S-1-5-32-545"),
        (Sid::GUESTS, "S-1-5-32-546"),
        (Sid::unix_user(1000), "S-1-22-1-1000"),
        (Sid::unix_group(4294967295), "S-1-22-2-4294967295"),
        (Sid::new(0x1234_5678_9abc, &[1]).unwrap(), "S-1-0x123456789ABC-1"),
        (Sid::new(5, &[]).unwrap(), "S-1-5"),
    ];
    for (sid, text) in cases {
        assert_eq!(sid.to_string(), text);
        assert_eq!(text.parse(), Ok(sid));
    }
    assert_eq!("s-1-0X5-032-00544".parse(), Ok(Sid::ADMINISTRATORS));
}

#[test]
fn text_that_is_no_sid_is_refused() {
    let too_many = format!("S-1-5{}", "-1".repeat(16));
    for text in
        ["", "S-1", "S-1-", "S-2-5-1", "S-1-5-", "S-1-5--1", "S-1-5-+1", "S-1-5-4294967296", "S-1-0x-1", &too_many]
    {
        assert_eq!(text.parse::<Sid>(), Err(InvalidSid), "{text}");
    }
    assert_eq!("S-1-281474976710656-1".parse::<Sid>(), Err(InvalidSid), "an authority of 49 bits");
}

#[test]
fn unix_ids_are_found_again_in_their_sids_only() {
    assert_eq!(Sid::unix_user(7).as_unix_user(), Some(7));
    assert_eq!(Sid::unix_group(7).as_unix_group(), Some(7));
    assert_eq!((Sid::unix_user(7).as_unix_group(), Sid::unix_group(7).as_unix_user()), (None, None));
    assert_eq!((Sid::ADMINISTRATORS.as_unix_user(), Sid::EVERYONE.as_unix_group()), (None, None));
}

#[test]
fn a_sid_has_at_most_fifteen_sub_authorities() {
    assert_eq!(Sid::new(5, &[0; 16]), None);
    assert_eq!(Sid::new(5, &[0; 15]).unwrap().child(1), None);
    assert_eq!(Sid::new(5, &[32]).unwrap().child(544), Some(Sid::ADMINISTRATORS));
    let bytes = [&[1, 16, 0, 0, 0, 0, 0, 5][..], &[0; 64]].concat();
    assert_eq!(Sid::read(&mut Reader::new(bytes.into())), Err(Malformed));
}

#[test]
fn another_revision_is_refused() {
    assert_eq!(Sid::read(&mut Reader::new(Bytes::from_static(&[2, 0, 0, 0, 0, 0, 0, 5]))), Err(Malformed));
}

proptest! {
    #[test]
    fn a_sid_comes_back_from_bytes_and_text(sid in sid()) {
        let bytes = encoded(&sid);
        prop_assert_eq!(bytes.len(), sid.encoded_length());
        prop_assert_eq!(Sid::read(&mut Reader::new(bytes)), Ok(sid));
        prop_assert_eq!(sid.to_string().parse(), Ok(sid));
    }
}
