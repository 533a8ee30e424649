//! The kept form.

use proptest::{collection::vec, prelude::*};

use super::{strategy::acl, *};

proptest! {
    #[test]
    fn a_list_comes_back_as_it_was(acl in acl()) {
        let bytes = acl.to_bytes();
        prop_assert_eq!(bytes.len(), acl.encoded_len());
        prop_assert_eq!(Acl::from_bytes(&bytes), Ok(acl));
    }

    #[test]
    fn bytes_at_random_are_refused_or_a_list(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(acl) = Acl::from_bytes(&bytes) {
            prop_assert_eq!(acl.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_list_that_is_cut_between_entries_has_those_before_and_else_is_none(acl in acl()) {
        let bytes = acl.to_bytes();
        let of_first = |count: usize| Acl { flags: acl.flags, entries: acl.entries[..count].to_vec() };
        let firsts: Vec<Acl> = (0..=acl.entries.len()).map(of_first).collect();
        for at in 0..=bytes.len() {
            let expected = firsts.iter().find(|acl| acl.encoded_len() == at).cloned().ok_or(NoAcl);
            prop_assert_eq!(Acl::from_bytes(&bytes[..at]), expected, "{}", at);
        }
    }
}

#[test]
fn the_form_of_a_list_is_fixed() {
    let entries = vec![
        Ace::deny(Who::User(0x0403_0201), AccessMask::WRITE_DATA),
        Ace::allow(Who::Everyone, AccessMask::SYNCHRONIZE).with_flags(AceFlags::INHERITABLE | AceFlags::INHERITED),
        Ace::allow(Who::Other(Box::new(Sid::new(5, &[18]).unwrap())), AccessMask::READ_DATA),
    ];
    let acl = Acl::new(entries, AclFlags::PROTECTED).unwrap();
    let expected = [
        &[1, 1][..],
        &[1, 0, 6, 2, 0, 0, 0, 1, 2, 3, 4],
        &[0, 0x13, 2, 0, 0, 0x10, 0],
        &[0, 0, 8, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0],
    ];
    assert_eq!(acl.to_bytes(), expected.concat());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let wrong: [&[u8]; 9] = [
        &[],
        &[1],
        &[2, 0],
        &[1, 8],
        &[1, 0, 2, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0x20, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 9, 0, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0x80, 0, 0],
        &[1, 4, 0, 0, 0, 0, 0, 0, 0],
    ];
    for bytes in wrong {
        assert_eq!(Acl::from_bytes(bytes), Err(NoAcl), "{bytes:?}");
    }
    assert_eq!(Acl::from_bytes(&[1, 0]), Ok(Acl::default()));
    assert_eq!(Acl::from_bytes(&[1, 4]), Ok(Acl::unrestricted(AclFlags::empty())));
    let long = [vec![1, 0], [0; 7].repeat(2_000)].concat();
    assert_eq!(Acl::from_bytes(&long), Err(NoAcl));
}
