#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};

use super::*;

fn a_page() -> MapRow {
    let block = BlockPlace { at: 9, stored_len: 70, raw_len: 100, codec: 1, key_id: KeyId::of_fingerprint(77) };
    let stored = Extent::Stored { len: 60, from: Stored { object: ObjectId(u128::MAX - 3), block, skip: 40 } };
    let extents = vec![Extent::Hole { len: 5 }, Extent::Inline(Bytes::from_static(b"inline")), stored];
    MapRow::Page { version: ContentVersion(3), extents }
}

/// Bytes that a release has written are read for ever.
#[test]
fn a_page_of_version_1_has_these_bytes() {
    let (version, pages, extents) = columns(&a_page()).unwrap();
    let expected = [
        &[1][..],
        &[0, 0, 0, 0, 5],
        &[1, 0, 0, 0, 6],
        b"inline",
        &[2, 0, 0, 0, 60],
        &[255; 15],
        &[252],
        &[0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 70, 0, 0, 0, 100, 1],
        &[128, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0, 40],
    ]
    .concat();
    assert_eq!((version, pages, extents.as_deref()), (3, None, Some(&expected[..])));
    assert_eq!(row(3, None, Some(&expected)).unwrap(), a_page());
}

#[test]
fn what_is_no_row_is_refused_in_both_directions() {
    let version = ContentVersion(1);
    for extents in [vec![], vec![Extent::Hole { len: 0 }]] {
        assert_eq!(columns(&MapRow::Page { version, extents }), None);
    }
    assert_eq!(columns(&MapRow::Holes { version, pages: 0 }), None);
    let (_, _, extents) = columns(&a_page()).unwrap();
    let extents = extents.unwrap();
    for (pages, extents) in [(None, None), (Some(0), None), (Some(1), Some(&extents[..])), (None, Some(&[][..]))] {
        assert!(row(1, pages, extents).is_err());
    }
    for len in 1..extents.len() {
        let cut = row(1, None, Some(&extents[..len]));
        assert!(cut.as_ref().is_ok_and(|cut| *cut != a_page()) || cut.is_err(), "{len}");
    }
    let newer = [&[2], &extents[1..]].concat();
    assert!(row(1, None, Some(&newer)).unwrap_err().to_string().contains("a newer release"));
}

proptest! {
    #[test]
    fn any_bytes_are_a_row_or_damage_and_never_a_panic(mut bytes in vec(any::<u8>(), 0..300)) {
        let _ = row(1, None, Some(&bytes));
        if let Some(version) = bytes.first_mut() {
            *version = VERSION;
        }
        let _ = row(1, None, Some(&bytes));
    }
}
