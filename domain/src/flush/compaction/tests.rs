#![allow(clippy::single_range_in_vec_init)]

use super::*;
use crate::content::{
    page::PAGE_LEN,
    slices::{Place, SliceIndex},
};
use crate::id::Sequence;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn full(number: u64) -> (u64, PageExtents) {
    (number, vec![stand_in(PAGE_LEN)])
}

fn dense() -> Vec<(u64, PageExtents)> {
    (0..4).map(full).collect()
}

fn region(changed: Vec<Range<u64>>) -> Region {
    Region { start: 0, changed }
}

#[test]
fn a_small_change_is_written_as_it_is() {
    let changed = vec![5..10, MIB..MIB + 100];
    assert_eq!(rewrite(&region(changed.clone()), &dense(), 4 * MIB), changed);
}

#[test]
fn where_most_of_a_region_changed_it_is_written_whole() {
    let changed = vec![0..MIB, 2 * MIB..3 * MIB, 4 * MIB - 1..4 * MIB];
    assert_eq!(rewrite(&region(changed), &dense(), 4 * MIB), vec![0..4 * MIB]);
}

#[test]
fn a_large_hole_stays_a_hole_when_a_region_is_written_whole() {
    let pages = vec![full(0), full(1), full(2)];
    let changed = vec![0..MIB, MIB + 5..2 * MIB, 2 * MIB + 7..3 * MIB];
    assert_eq!(rewrite(&region(changed), &pages, 4 * MIB), vec![0..3 * MIB]);
}

#[test]
fn the_whole_of_a_short_file_ends_with_it() {
    assert_eq!(rewrite(&region(vec![0..3_000]), &[full(0)], 5_000), vec![0..5_000]);
}

#[test]
fn a_crowded_page_takes_its_cheapest_neighbours_together() {
    let lines: Vec<_> = (0..40).map(|i| 512 * KIB + 200 * i..512 * KIB + 200 * i + 100).collect();
    let ranges = rewrite(&region(lines), &[full(0)], 4 * MIB);
    let written: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    assert!(written < 10_000, "{written}");
    assert!(overlay(full(0).1, 0, &ranges).len() <= EXTENTS_PER_PAGE_MAX);
}

#[test]
fn a_page_full_of_tiny_writes_becomes_one_range() {
    let changed: Vec<_> = (0..100_000u64).map(|i| MIB + i * 10..MIB + i * 10 + 1).collect();
    assert_eq!(rewrite(&region(changed), &dense(), 4 * MIB), vec![MIB..2 * MIB - 48_576 - 9]);
}

#[test]
fn runs_of_slices_are_grouped_by_region() {
    let mut index = SliceIndex::default();
    let place = Place::default();
    index.insert(4 * MIB - 10, 20, Sequence(1), place, 0);
    index.insert(4 * MIB + 50, 20, Sequence(2), place, 0);
    let found = regions(&index.runs(0, u64::MAX).runs);
    let expected = [
        Region { start: 0, changed: vec![4 * MIB - 10..4 * MIB] },
        Region { start: 4 * MIB, changed: vec![4 * MIB..4 * MIB + 10, 4 * MIB + 50..4 * MIB + 70] },
    ];
    assert_eq!(found, expected);
}
