#![allow(clippy::single_range_in_vec_init)]

use super::*;
use crate::content::PAGE_BYTES;

const PAGE_LEN: u32 = PAGE_BYTES as u32;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn full(number: u64) -> (u64, PageExtents) {
    (number, vec![stand_in(PAGE_LEN)])
}

fn dense() -> Vec<(u64, PageExtents)> {
    (0..4).map(full).collect()
}

#[test]
fn a_small_change_is_written_as_it_is() {
    let changed = vec![5..10, MIB..MIB + 100];
    assert_eq!(rewrite(0, &changed, &dense(), 4 * MIB, &Scale::PRODUCTION), changed);
}

#[test]
fn where_most_of_a_region_changed_it_is_written_whole() {
    let changed = vec![0..MIB, 2 * MIB..3 * MIB, 4 * MIB - 1..4 * MIB];
    assert_eq!(rewrite(0, &changed, &dense(), 4 * MIB, &Scale::PRODUCTION), vec![0..4 * MIB]);
}

#[test]
fn a_large_hole_stays_a_hole_when_a_region_is_written_whole() {
    let pages = vec![full(0), full(1), full(2)];
    let changed = vec![0..MIB, MIB + 5..2 * MIB, 2 * MIB + 7..3 * MIB];
    assert_eq!(rewrite(0, &changed, &pages, 4 * MIB, &Scale::PRODUCTION), vec![0..3 * MIB]);
}

#[test]
fn the_whole_of_a_short_file_ends_with_it() {
    assert_eq!(rewrite(0, &[0..3_000], &[full(0)], 5_000, &Scale::PRODUCTION), vec![0..5_000]);
}

#[test]
fn a_crowded_page_takes_its_cheapest_neighbours_together() {
    let lines: Vec<_> = (0..40).map(|i| 512 * KIB + 200 * i..512 * KIB + 200 * i + 100).collect();
    let ranges = rewrite(0, &lines, &[full(0)], 4 * MIB, &Scale::PRODUCTION);
    let written: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    assert!(written < 10_000, "{written}");
    assert!(overlay(full(0).1, 0, &ranges).len() <= crate::content::EXTENTS_PER_PAGE_MAX);
}

#[test]
fn a_page_full_of_tiny_writes_becomes_one_range() {
    let changed: Vec<_> = (0..100_000u64).map(|i| MIB + i * 10..MIB + i * 10 + 1).collect();
    assert_eq!(rewrite(0, &changed, &dense(), 4 * MIB, &Scale::PRODUCTION), vec![MIB..2 * MIB - 48_576 - 9]);
}
