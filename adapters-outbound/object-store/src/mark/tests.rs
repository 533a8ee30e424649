use super::*;

#[test]
fn marks_of_format_1_do_not_change() {
    assert_eq!(mark(), "dittofs objects, format 1\n");
}

#[test]
fn only_what_was_written_is_read() {
    assert_eq!(read_mark(mark().as_bytes()), Mark::Known);
    assert_eq!(read_mark(b"dittofs objects, format 2\n"), Mark::Newer(2));
    for bad in [&b""[..], b"dittofs objects, format 1", b"dittofs objects, format 0\n", b"\xff\n", b"hello\n"] {
        assert_eq!(read_mark(bad), Mark::Unreadable, "{bad:?}");
    }
}
