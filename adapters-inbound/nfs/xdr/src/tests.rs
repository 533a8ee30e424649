use bytes::Bytes;
use proptest::prelude::*;

use crate::{BoundedList, Decode, Decoder, Encode, Encoder, LinkedList, Payload, SPLICE_BYTES_MIN, XdrError};

#[derive(Debug, Clone, PartialEq, Decode, Encode)]
struct Sample {
    number: u32,
    negative: i64,
    fixed: [u8; 5],
    #[xdr(max = 8)]
    name: Bytes,
    #[xdr(max = 3)]
    groups: Vec<u32>,
    next: Option<Shape>,
}

#[derive(Debug, Clone, PartialEq, Decode, Encode)]
enum Shape {
    #[xdr(case = 0)]
    Nothing,
    #[xdr(case = 1)]
    Round { radius: u64 },
    #[xdr(case = 2)]
    Square(u32, bool),
    #[xdr(default)]
    Other(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Decode, Encode)]
enum Level {
    Low = 1,
    High = 7,
}

fn encoded(value: &impl Encode) -> Bytes {
    let mut encoder = Encoder::default();
    value.encode(&mut encoder);
    encoder.finish().to_bytes()
}

fn decoded<T: Decode>(bytes: impl Into<Bytes>) -> Result<T, XdrError> {
    let mut decoder = Decoder::new(bytes.into());
    let value = T::decode(&mut decoder)?;
    decoder.finish().map(|()| value)
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        any::<u64>().prop_map(|radius| Shape::Round { radius }),
        any::<(u32, bool)>().prop_map(|(side, filled)| Shape::Square(side, filled)),
        (3u32..).prop_map(Shape::Other),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(
        number: u32, negative: i64, fixed: [u8; 5],
        name in proptest::collection::vec(any::<u8>(), 0..=8),
        groups in proptest::collection::vec(any::<u32>(), 0..=3),
        next in proptest::option::of(shapes()),
    ) {
        let sample = Sample { number, negative, fixed, name: name.into(), groups, next };
        let bytes = encoded(&sample);
        prop_assert_eq!(bytes.len() % 4, 0);
        prop_assert_eq!(decoded::<Sample>(bytes), Ok(sample));
    }

    #[test]
    fn a_cut_record_is_an_error(cut in 0usize..60) {
        let bytes = encoded(&Sample {
            number: 1, negative: -1, fixed: [1; 5], name: Bytes::from_static(b"abcde"), groups: vec![1, 2, 3],
            next: Some(Shape::Round { radius: 9 }),
        });
        prop_assume!(cut < bytes.len());
        prop_assert!(decoded::<Sample>(bytes.slice(..cut)).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decoded::<Sample>(bytes.clone());
        let _ = decoded::<LinkedList<Shape>>(bytes);
    }
}

#[test]
fn each_fault_has_its_error() {
    assert_eq!(decoded::<u32>(vec![0, 0, 0]), Err(XdrError::Truncated));
    assert_eq!(decoded::<u32>(vec![0, 0, 0, 1, 0]), Err(XdrError::Trailing));
    assert_eq!(decoded::<bool>(vec![0, 0, 0, 2]), Err(XdrError::BadEnum));
    assert_eq!(decoded::<Level>(vec![0, 0, 0, 2]), Err(XdrError::BadEnum));
    assert_eq!(decoded::<[u8; 3]>(vec![1, 2, 3]), Err(XdrError::Truncated), "without its padding");
    assert_eq!(decoded::<[u8; 3]>(vec![1, 2, 3, 4]), Ok([1, 2, 3]), "any padding will do");
    assert_eq!(decoded::<Level>(vec![0, 0, 0, 7]), Ok(Level::High));
    let mut decoder = Decoder::new(Bytes::from_static(&[0, 0, 0, 9, 1]));
    assert_eq!(decoder.opaque(8), Err(XdrError::TooLong));
    assert_eq!(Decoder::new(Bytes::from_static(&[0xff; 8])).opaque(usize::MAX), Err(XdrError::Truncated));
    assert_eq!(Decoder::new(Bytes::from_static(&[0xff; 8])).count(usize::MAX), Err(XdrError::Truncated));
}

#[test]
fn long_payloads_are_spliced_and_short_ones_copied() {
    let long = Bytes::from(vec![7u8; SPLICE_BYTES_MIN + 1]);
    let mut encoder = Encoder::default();
    encoder.put_u32(1);
    Payload(vec![long.clone(), Bytes::from_static(b"ab"), long.clone()]).encode(&mut encoder);
    encoder.put_u32(2);
    let length = encoder.len();
    let message = encoder.finish();
    assert_eq!(message.len(), length);
    assert_eq!(message.head.len(), 8);
    assert_eq!(message.rest.len(), 4);
    assert_eq!(message.rest[0].as_ptr(), long.as_ptr());
    assert_eq!(message.rest[2].as_ptr(), long.as_ptr());
    let mut decoder = Decoder::new(message.to_bytes());
    assert_eq!(decoder.u32(), Ok(1));
    let payload = decoder.opaque(usize::MAX).unwrap();
    assert_eq!(payload.len(), 2 * long.len() + 2);
    assert_eq!(decoder.u32(), Ok(2));
    assert_eq!(decoder.finish(), Ok(()));
}

#[test]
fn opaque_data_are_slices_of_the_record() {
    let record = encoded(&Bytes::from_static(b"hello"));
    let name = Decoder::new(record.clone()).opaque(5).unwrap();
    assert_eq!(name.as_ptr(), record[4..].as_ptr());
}

#[test]
fn a_bounded_list_stops_before_its_limit_and_leaves_no_trace_of_what_did_not_fit() {
    let entry = Bytes::from_static(b"0123456789");
    for limit in 0..100usize {
        let mut encoder = Encoder::default();
        let mut list = BoundedList::new(&mut encoder, limit);
        while list.try_push(&entry) {}
        let pushed = list.entries();
        list.finish(true);
        let bytes = encoder.finish().to_bytes();
        assert!(bytes.len() <= limit.max(8));
        assert_eq!(pushed, limit.saturating_sub(8) / 20);
        let mut decoder = Decoder::new(bytes);
        let entries = LinkedList::<Bytes>::decode(&mut decoder).unwrap();
        assert_eq!(entries.0.len(), pushed);
        assert_eq!(decoder.bool(), Ok(true));
        assert_eq!(decoder.finish(), Ok(()));
    }
}
