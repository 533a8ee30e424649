use bytes::Bytes;

use super::{Joined, SHORT, Segments};

#[test]
fn short_segments_become_few_and_long_ones_stay_as_they_are() {
    let long = Bytes::from(vec![7; SHORT]);
    let mut joined = Joined::default();
    joined.extend((0..100_000_u32).map(|number| Bytes::copy_from_slice(&[number as u8])));
    joined.push(long.clone());
    joined.push(long.clone());
    joined.push(Bytes::from_static(b"end"));
    let segments: Segments = joined.finish();
    assert_eq!(segments.len(), 4);
    assert!(segments[0].iter().enumerate().all(|(number, byte)| *byte == number as u8));
    assert_eq!(segments[0].len(), 100_000);
    assert_eq!(segments[1].as_ptr(), long.as_ptr(), "it was not copied");
    assert_eq!(&segments[3][..], b"end");
    assert!(Joined::default().finish().is_empty());
}
