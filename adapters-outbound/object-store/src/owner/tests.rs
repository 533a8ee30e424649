use super::*;

fn marked() -> Mark {
    Mark {
        owner: 0xAB,
        start: Some(Start { epoch: Epoch(7), nonce: 0xBEEF }),
        tag: 9,
        lease: Duration::from_millis(20_000),
        request_max: Duration::from_millis(10_000),
        share: "/a share\nof \u{e4} \\ \"name\"".into(),
        holder: Holder { host: "here".into(), process: 12, folder: "/var/lib/x y".into(), seat: 0x5EA7 },
        at: Timestamp::from_unix_nanos(1_767_225_600_000_000_001),
    }
}

#[test]
fn marks_of_format_1_do_not_change() {
    let expected = "dittofs owner 000000000000000000000000000000ab\nepoch 7\nnonce 000000000000beef\n\
                    tag 0000000000000009\nlease-ms 20000\nrequest-ms 10000\nseat 0000000000005ea7\n\
                    at-ns 1767225600000000001\nprocess 12\nhost here\nfolder /var/lib/x y\nshare /s\n";
    let mark = Mark { share: "/s".into(), ..marked() };
    assert_eq!(String::from_utf8(encode(&mark)).unwrap(), expected);
}

#[test]
fn what_is_written_is_read() {
    assert_eq!(decode(&encode(&marked())), Some(marked()));
    let without = Mark { start: None, lease: Duration::ZERO, ..marked() };
    assert_eq!(decode(&encode(&without)), Some(without));
}

#[test]
fn a_mark_of_a_release_without_leases_is_read_as_nobodys() {
    let found = decode(b"dittofs owner 000000000000000000000000000000ab\n").unwrap();
    assert_eq!((found.owner, found.start, found.is_released()), (0xAB, None, true));
}

#[test]
fn what_is_no_mark_is_not_read() {
    for bad in ["dittofs owner ab\n", "dittofs owner +00000000000000000000000000000ab\n", "", "owner\n"] {
        assert_eq!(decode(bad.as_bytes()), None, "{bad:?}");
    }
    let whole = encode(&marked());
    assert_eq!(decode(&whole[..whole.len() - 1]), None, "the end is missing");
}
