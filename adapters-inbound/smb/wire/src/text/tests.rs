use super::*;

#[test]
fn text_is_utf16_little_endian_without_an_end_mark() {
    let text = Utf16Text::from("aé😀");
    assert_eq!(text.as_bytes().as_ref(), [0x61, 0, 0xE9, 0, 0x3D, 0xD8, 0x00, 0xDE]);
    assert_eq!(text.decode().as_deref(), Ok("aé😀"));
}

#[test]
fn odd_length_is_malformed() {
    assert_eq!(Utf16Text::new(Bytes::from_static(b"abc")), Err(Malformed));
}

#[test]
fn half_a_surrogate_pair_is_kept_but_is_no_text() {
    let text = Utf16Text::new(Bytes::from_static(&[0x00, 0xD8])).unwrap();
    assert_eq!(text.decode(), Err(Malformed));
    assert_eq!(format!("{text:?}"), "\"\u{FFFD}\"");
}
