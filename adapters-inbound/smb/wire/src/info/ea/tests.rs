use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn ea(name: &'static str, value: &'static str) -> Ea {
    Ea { flags: 0, name: Bytes::from_static(name.as_bytes()), value: Bytes::from_static(value.as_bytes()) }
}

const TWO: &[u8] = b"\x14\0\0\0\0\x05\x06\0EAONE\0VALUE1\
    \0\0\0\0\x80\x02\0\0XY\0";

#[test]
fn elements_are_chained_on_four_bytes() {
    let second = Ea { flags: 0x80, ..ea("XY", "") };
    let list = [ea("EAONE", "VALUE1"), second];
    assert_eq!(encode_list(&list, 100).unwrap().bytes, TWO);
    assert_eq!(decode_list(&Bytes::from_static(TWO)), Ok(list.to_vec()));
}

#[test]
fn elements_that_do_not_fit_are_left_out() {
    let list = [ea("EAONE", "VALUE1"), ea("XY", "")];
    let answer = encode_list(&list, 30).unwrap();
    assert_eq!((answer.bytes.len(), answer.overflow), (20, true));
    assert_eq!(encode_list(&list, 19), Err(QueryError::BufferTooSmall));
    assert_eq!(encode_list(&[], 0).unwrap().bytes, Bytes::new());
}

#[test]
fn a_list_that_overlaps_or_is_cut_is_refused() {
    let mut bytes = TWO.to_vec();
    for next in [4u8, 16, 18, 21, 32, 36, 255] {
        bytes[0] = next;
        assert_eq!(decode_list(&Bytes::copy_from_slice(&bytes)), Err(Malformed), "{next}");
    }
    for length in 0..TWO.len() {
        assert_eq!(decode_list(&Bytes::from_static(&TWO[..length])), Err(Malformed));
    }
}

#[test]
fn a_name_is_not_empty_and_ends_with_a_nul() {
    assert_eq!(decode_list(&Bytes::from_static(b"\0\0\0\0\0\0\0\0\0")), Err(Malformed));
    assert_eq!(decode_list(&Bytes::from_static(b"\0\0\0\0\0\x01\0\0AB")), Err(Malformed));
    assert_eq!(decode_list(&Bytes::from_static(b"\0\0\0\0\0\x02\0\0A\0\0")), Err(Malformed));
}

#[test]
fn names_to_query_are_chained_the_same_way() {
    let bytes = Bytes::from_static(b"\x08\0\0\0\x02AB\0\0\0\0\0\x01C\0");
    assert_eq!(decode_names(&bytes).unwrap(), ["AB", "C"]);
}

proptest! {
    #[test]
    fn lists_come_back(list in vec((any::<u8>(), vec(1u8.., 1..=255), vec(any::<u8>(), 0..300)), 1..8)) {
        let list: Vec<Ea> = list
            .into_iter()
            .map(|(flags, name, value)| Ea { flags, name: name.into(), value: value.into() })
            .collect();
        let answer = encode_list(&list, usize::MAX).unwrap();
        prop_assert_eq!(decode_list(&answer.bytes).unwrap(), list);
    }
}
