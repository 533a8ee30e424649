use super::*;
use crate::nlm4::wire::netobj;

fn lock(caller_name: &'static [u8], svid: i32, oh: &'static [u8]) -> nlm4_lock {
    let opaque = |bytes| netobj(Bytes::from_static(bytes));
    nlm4_lock {
        caller_name: Bytes::from_static(caller_name),
        fh: opaque(b"file"),
        oh: opaque(oh),
        svid,
        l_offset: 0,
        l_len: 0,
    }
}

#[test]
fn a_process_is_known_by_all_three() {
    let names =
        [lock(b"a", 7, b"b"), lock(b"a", 8, b"b"), lock(b"ab", 7, b""), lock(b"", 7, b"ab"), lock(b"a", -7, b"")]
            .map(|lock| name(&lock).unwrap());
    for (at, one) in names.iter().enumerate() {
        assert!(!names[..at].contains(one), "{at}");
    }
    assert_eq!(process(&names[0]), Some((7, Bytes::from_static(b"b"))));
    assert_eq!(process(&names[4]), Some((-7, Bytes::new())));
}

#[test]
fn a_name_that_is_too_long_is_none_and_one_of_another_protocol_names_no_process() {
    static LONG: [u8; limits::OWNER_BYTES] = [1; limits::OWNER_BYTES];
    assert!(name(&lock(&LONG, 1, b"")).is_none());
    let whole = lock(&LONG[FIXED_BYTES..], 1, b"");
    assert!(owner(ClientId::Nfs4(1), &name(&whole).unwrap()).is_some());
    for other in [&b""[..], b"\0", b"\0\x09four", b"\0\0abc"] {
        assert_eq!(process(other), None);
    }
}
