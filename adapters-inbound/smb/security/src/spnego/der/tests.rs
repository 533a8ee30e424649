use proptest::prelude::*;

use super::*;

#[test]
fn lengths_have_the_shortest_form() {
    assert_eq!(element(OCTET_STRING, &[]), [0x04, 0]);
    assert_eq!(element(OCTET_STRING, &[&[1; 0x7f]])[..2], [0x04, 0x7f]);
    assert_eq!(element(OCTET_STRING, &[&[1; 0x80]])[..3], [0x04, 0x81, 0x80]);
    assert_eq!(element(OCTET_STRING, &[&[1; 0x100]])[..4], [0x04, 0x82, 1, 0]);
    assert_eq!(element(OCTET_STRING, &[&[1; 0x1_0000]])[..5], [0x04, 0x83, 1, 0, 0]);
}

#[test]
fn indefinite_and_overlong_lengths_are_refused() {
    for bytes in [&[0x30, 0x80, 0, 0][..], &[0x30, 0x85, 0, 0, 0, 0, 0], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30]]
    {
        assert!(matches!(Reader::new(bytes).next(), Err(Refusal::Malformed)));
    }
}

proptest! {
    #[test]
    fn an_element_is_read_as_it_was_written(
        tag: u8,
        content in proptest::collection::vec(any::<u8>(), 0..70_000),
        behind: [u8; 3],
    ) {
        let whole = element(tag, &[&content[..content.len() / 2], &content[content.len() / 2..]]);
        let bytes = [&whole[..], &behind].concat();
        let read = Reader::new(&bytes).next().unwrap().unwrap();
        prop_assert_eq!((read.tag, read.content, read.whole), (tag, &content[..], &whole[..]));
    }
}
