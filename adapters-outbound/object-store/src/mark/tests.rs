use super::*;

#[test]
fn marks_of_format_1_do_not_change() {
    assert_eq!(mark(), "dittofs objects, format 1\n");
    assert_eq!(owner(0xAB), "dittofs owner 000000000000000000000000000000ab\n");
}

#[test]
fn only_what_was_written_is_read() {
    assert_eq!(read_mark(mark().as_bytes()), Mark::Known);
    assert_eq!(read_mark(b"dittofs objects, format 2\n"), Mark::Newer(2));
    for bad in [&b""[..], b"dittofs objects, format 1", b"dittofs objects, format 0\n", b"\xff\n", b"hello\n"] {
        assert_eq!(read_mark(bad), Mark::Unreadable, "{bad:?}");
    }
    for id in [0, 1, u128::MAX] {
        assert_eq!(read_owner(owner(id).as_bytes()), Some(id));
    }
    for bad in ["dittofs owner ab\n", "dittofs owner +00000000000000000000000000000ab\n", "", "owner\n"] {
        assert_eq!(read_owner(bad.as_bytes()), None, "{bad:?}");
    }
}
