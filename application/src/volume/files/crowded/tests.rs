use std::{ops::Range, slice};

use bytes::Bytes;
use futures_util::FutureExt;
use proptest::prelude::*;

use super::{COVERED_MIN, Crowded};

const START: u64 = 1_000_003;
const LENGTH: usize = 40_000;

/// Takes these slices, of bytes that tell their offsets, and answers which bytes of the range are covered.
fn crowded(slices: &[(usize, usize)]) -> (Crowded, Vec<bool>) {
    let range = START..START + LENGTH as u64;
    let (mut crowded, mut covered) = (Crowded::new(&range), vec![false; LENGTH]);
    for (at, length) in slices {
        let bytes: Vec<u8> = (*at..at + length).map(slice_byte).collect();
        crowded.take(START + *at as u64, &bytes);
        covered.iter_mut().skip(*at).take(*length).for_each(|covered| *covered = true);
    }
    (crowded, covered)
}

fn slice_byte(at: usize) -> u8 {
    (at % 251) as u8
}

fn map_byte(at: usize) -> u8 {
    !(at % 241) as u8
}

fn is_sound(gaps: &[Range<u64>], covered: &[bool], end: usize) {
    let holds = |at: usize| gaps.iter().any(|gap| gap.contains(&(START + at as u64)));
    for (at, covered) in covered.iter().enumerate().take(end) {
        assert!(*covered || holds(at), "byte {at} is in no gap");
    }
    assert!(gaps.iter().all(|gap| gap.start < gap.end && gap.end <= START + end as u64));
    assert!(gaps.windows(2).all(|pair| pair[1].start - pair[0].end >= COVERED_MIN), "{gaps:?}");
    // Every gap begins and ends with a byte that is not there.
    let is_open = |at: u64| !covered[(at - START) as usize];
    assert!(gaps.iter().all(|gap| is_open(gap.start) && is_open(gap.end - 1)));
}

proptest! {
    #[test]
    fn slices_win_over_the_map_and_gaps_have_all_the_rest(
        slices in prop::collection::vec((0..LENGTH, prop_oneof![1..4_usize, 1..9_000_usize]), 0..60),
        end in 0..=LENGTH,
    ) {
        let slices: Vec<_> = slices.into_iter().map(|(at, length)| (at, length.min(LENGTH - at))).collect();
        let (crowded, covered) = crowded(&slices);
        let until = START + end as u64;
        prop_assert_eq!(crowded.covers(until), covered.iter().take(end).all(|covered| *covered));
        let gaps = crowded.gaps(until);
        is_sound(&gaps, &covered, end);
        let map: Vec<u8> = gaps.iter().cloned().flatten().map(|at| map_byte((at - START) as usize)).collect();
        // In parts of any length.
        let parts: Vec<Bytes> = map.chunks(777).map(Bytes::copy_from_slice).collect();
        let filled = loop_until_ready(crowded.filled(&gaps, &parts, until));
        let expected: Vec<u8> =
            (0..end).map(|at| if covered[at] { slice_byte(at) } else { map_byte(at) }).collect();
        prop_assert_eq!(filled, expected);
    }
}

fn loop_until_ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Some(ready) = future.as_mut().now_or_never() {
            return ready;
        }
    }
}

#[test]
fn every_other_byte_is_one_gap() {
    let slices: Vec<_> = (0..LENGTH).step_by(2).map(|at| (at, 1)).collect();
    let (crowded, _) = crowded(&slices);
    let gap = START + 1..START + LENGTH as u64;
    assert_eq!(crowded.gaps(START + LENGTH as u64), slice::from_ref(&gap));
}

#[test]
fn bytes_outside_the_range_are_not_taken() {
    let mut crowded = Crowded::new(&(10..20));
    crowded.take(5, b"0123456");
    crowded.take(18, b"abcdef");
    let gaps = crowded.gaps(20);
    assert_eq!(gaps, slice::from_ref(&(12..18)));
    assert_eq!(loop_until_ready(crowded.filled(&gaps, &[Bytes::from_static(b"......")], 20)), "56......ab");
}
