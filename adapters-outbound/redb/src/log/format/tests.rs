use super::*;

const STORE: u128 = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10;
const HEAD: RecordHead = RecordHead { sequence: 7, generation: 3, durable: 6 };

fn record(head: RecordHead, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_record(&mut out, STORE, head, payload);
    out
}

/// The format that a released program has written must be readable for ever.
#[test]
fn a_head_and_a_record_are_these_bytes() {
    let head = encode_head(STORE);
    assert_eq!(&head[..16], b"DFMLOG\r\n\x01\0\0\0\0\0\0\0");
    assert_eq!(head[16..32], STORE.to_le_bytes());
    assert_eq!(head[32..], crc32c(&head[..32]).to_le_bytes());
    let record = record(HEAD, b"abc");
    assert_eq!(&record[..8], b"DFML\x03\0\0\0");
    assert_eq!(&record[8..32], b"\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0");
    let seed = [STORE.to_le_bytes().as_slice(), &3u64.to_le_bytes(), &record[..32], b"abc"].concat();
    assert_eq!(record[32..36], crc32c(&seed).to_le_bytes());
    assert_eq!(&record[36..], b"\0\0\0\0abc\0\0\0\0\0");
}

#[test]
fn a_head_comes_back_or_says_why_not() {
    let head = encode_head(STORE);
    assert_eq!(decode_head(&head), Head::Of(STORE));
    for index in 0..head.len() {
        let mut bad = head.clone();
        bad[index] ^= 1;
        assert_ne!(decode_head(&bad), Head::Of(STORE), "byte {index}");
        assert_eq!(decode_head(&head[..index]), Head::Nonsense);
    }
    let mut newer = head;
    newer[8] = 9;
    assert_eq!(decode_head(&newer), Head::Newer(9));
}

#[test]
fn a_record_that_is_changed_or_cut_does_not_pass() {
    let whole = record(HEAD, b"payload");
    assert_eq!(decode_record(&whole, STORE), Some((HEAD, b"payload".as_slice())));
    let end = RECORD_HEAD_LEN + b"payload".len();
    for index in 0..end {
        assert_eq!(decode_record(&whole[..index], STORE), None);
        for bit in 0..8 {
            let mut bad = whole.clone();
            bad[index] ^= 1 << bit;
            assert_eq!(decode_record(&bad, STORE), None, "byte {index}");
        }
    }
}

#[test]
fn a_record_of_another_store_does_not_pass() {
    assert_eq!(decode_record(&record(HEAD, b"payload"), STORE + 1), None);
}

#[test]
fn a_length_that_promises_too_much_is_no_record() {
    let mut record = record(HEAD, b"payload");
    record[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode_record(&record, STORE), None);
}
