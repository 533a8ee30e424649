use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::content::PAGE_BYTES;

const PAGE_LEN: u32 = PAGE_BYTES as u32;
use crate::content::{BlockPlace, Stored};

const BLOCK_LEN: u32 = 4 << 20;

fn place(raw_len: u32) -> BlockPlace {
    BlockPlace { at: 64, stored_len: raw_len + 68, raw_len, codec: 0, key_id: crate::id::KeyId::NONE }
}

fn stored(object: u128, skip: u32, len: u32) -> Extent {
    Extent::Stored { len, from: Stored { object: ObjectId(object), block: place(BLOCK_LEN), skip } }
}

/// One number a byte: 0 is hole; else which extent the byte came from and where in it.
fn model(extents: &[Extent]) -> Vec<u64> {
    let mut out = Vec::with_capacity(PAGE_LEN as usize);
    for extent in extents {
        match extent {
            Extent::Hole { len } => out.extend(std::iter::repeat_n(0, *len as usize)),
            Extent::Inline(bytes) => out.extend(bytes.iter().map(|byte| 1 << 60 | u64::from(*byte))),
            Extent::Stored { len, from } => {
                let base = (from.object.0 as u64) << 32 | u64::from(from.skip);
                out.extend((0..u64::from(*len)).map(|i| base + i));
            }
        }
    }
    out
}

fn is_merged(extents: &[Extent]) -> bool {
    merge(extents).len() == extents.len()
}

#[derive(Clone, Debug)]
enum Step {
    Overlay(u32, Extent),
    Punch(Range<u32>),
    Truncate(u32),
}

fn offset() -> impl Strategy<Value = u32> {
    prop_oneof![0..=PAGE_LEN, 0u32..64, (PAGE_LEN - 64)..=PAGE_LEN, (0u32..=16).prop_map(|i| i << 16)]
}

fn extent() -> impl Strategy<Value = Extent> {
    prop_oneof![
        3 => (1u128..50, 0u32..1000, prop_oneof![1u32..200, Just(4096u32), 1..=PAGE_LEN])
            .prop_map(|(object, skip, len)| stored(object, skip, len)),
        1 => proptest::collection::vec(any::<u8>(), 1..100).prop_map(|bytes| Extent::Inline(Bytes::from(bytes))),
        1 => (1..=PAGE_LEN).prop_map(|len| Extent::Hole { len }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (offset(), extent()).prop_map(|(at, extent)| Step::Overlay(at, extent)),
        1 => (offset(), offset()).prop_map(|(a, b)| Step::Punch(a.min(b)..a.max(b))),
        1 => offset().prop_map(Step::Truncate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_operation_agrees_with_an_array_of_bytes(
        steps in proptest::collection::vec(step(), 1..12),
        window in (offset(), offset()),
    ) {
        let mut page = hole(PAGE_LEN);
        let mut bytes = model(&page);
        for step in steps {
            match step {
                Step::Overlay(at, newer) => {
                    page = overlay(&page, at, &newer);
                    let new = model(&[newer]);
                    let at = at as usize;
                    let count = new.len().min(bytes.len() - at);
                    bytes[at..at + count].copy_from_slice(&new[..count]);
                }
                Step::Punch(range) => {
                    page = punch(&page, range.clone());
                    bytes[range.start as usize..range.end as usize].fill(0);
                }
                Step::Truncate(at) => {
                    page = truncate(&page, at);
                    bytes[at as usize..].fill(0);
                }
            }
            prop_assert!(tiles(&page, PAGE_LEN), "{page:?}");
            prop_assert!(is_merged(&page), "{page:?}");
        }
        prop_assert!(model(&page) == bytes);
        let data = bytes.iter().filter(|byte| **byte != 0).count() as u64;
        prop_assert_eq!(allocated(&page), data);
        prop_assert_eq!(is_hole(&page), data == 0);
        let window = window.0.min(window.1)..window.0.max(window.1);
        prop_assert!(model(&slice(&page, window.clone())) == bytes[window.start as usize..window.end as usize]);
    }
}

#[rstest]
#[case::nothing(vec![], false)]
#[case::hole(hole(PAGE_LEN), true)]
#[case::short(vec![Extent::Hole { len: PAGE_LEN - 1 }], false)]
#[case::long(vec![Extent::Hole { len: PAGE_LEN }, Extent::Hole { len: 1 }], false)]
#[case::empty_extent(vec![Extent::Hole { len: 0 }, Extent::Hole { len: PAGE_LEN }], false)]
#[case::empty_inline(vec![Extent::Inline(Bytes::new()), Extent::Hole { len: PAGE_LEN }], false)]
#[case::last_of_block(vec![stored(1, BLOCK_LEN - PAGE_LEN, PAGE_LEN)], true)]
#[case::beyond_block(vec![stored(1, BLOCK_LEN - PAGE_LEN + 1, PAGE_LEN)], false)]
#[case::overflow(vec![Extent::Hole { len: u32::MAX }, Extent::Hole { len: PAGE_LEN + 1 }], false)]
fn a_page_is_valid_only_if_its_extents_tile_it(#[case] extents: PageExtents, #[case] valid: bool) {
    assert_eq!(tiles(&extents, PAGE_LEN), valid);
}

#[test]
fn overwriting_the_middle_of_an_extent_leaves_both_ends_with_their_own_skip() {
    let page = overlay(&[stored(1, 0, PAGE_LEN)], 4096, &stored(2, 7, 4096));
    assert_eq!(page, vec![stored(1, 0, 4096), stored(2, 7, 4096), stored(1, 8192, PAGE_LEN - 8192)]);
    assert_eq!(objects(&page).map(|id| id.0).collect::<Vec<_>>(), vec![1, 2, 1]);
}

#[test]
fn rewriting_with_the_same_bytes_of_the_same_block_merges_again() {
    let page = overlay(&[stored(1, 0, PAGE_LEN)], 4096, &stored(1, 4096, 4096));
    assert_eq!(page, vec![stored(1, 0, PAGE_LEN)]);
}

#[test]
fn an_offset_beyond_the_page_changes_nothing() {
    assert_eq!(overlay(&hole(PAGE_LEN), PAGE_LEN + 5, &stored(1, 0, 10)), hole(PAGE_LEN));
    assert_eq!(punch(&[stored(1, 0, PAGE_LEN)], PAGE_LEN + 1..u32::MAX), vec![stored(1, 0, PAGE_LEN)]);
}
