#![allow(clippy::single_range_in_vec_init)]

use super::*;
use crate::{
    content::{BlockPlace, Stored},
    id::ObjectId,
};

fn stored(object: u128, offset: u64, len: u64, skip: u32) -> Piece {
    let block = BlockPlace { at: 0, stored_len: 100, raw_len: 1_000, codec: 0, key_id: crate::id::KeyId::NONE };
    Piece { offset, len, source: Source::Stored(Stored { object: ObjectId(object), block, skip }) }
}

fn hole(offset: u64, len: u64) -> Piece {
    Piece { offset, len, source: Source::Hole }
}

#[test]
fn where_the_map_says_the_same_it_is_still_there() {
    let now = [stored(1, 0, 10, 0), stored(2, 10, 10, 0), stored(1, 20, 30, 20)];
    assert_eq!(still_there(&stored(1, 5, 30, 5), &now), vec![5..10, 20..35]);
    assert_eq!(still_there(&stored(1, 5, 30, 6), &now), Vec::<Range<u64>>::new());
}

#[test]
fn a_hole_stands_until_bytes_come_and_all_is_hole_behind_the_end() {
    let now = [hole(0, 10), stored(2, 10, 5, 0), hole(15, 5)];
    assert_eq!(still_there(&hole(5, 30), &now), vec![5..10, 15..35]);
}

#[test]
fn copies_of_what_does_not_stand_any_more_are_left_out() {
    let block = [stored(9, 0, 100, 0), stored(9, 200, 50, 100)];
    let base = [stored(1, 0, 20, 0), stored(4, 20, 40, 0), hole(60, 40), stored(1, 200, 50, 60)];
    let now =
        [stored(1, 0, 10, 0), stored(3, 10, 10, 0), stored(4, 20, 40, 0), stored(5, 60, 10, 0), stored(1, 200, 50, 60)];
    let expected = [stored(9, 0, 10, 0), stored(9, 20, 40, 20), stored(9, 70, 30, 70), stored(9, 200, 50, 100)];
    assert_eq!(current(&block, &base, &[20..60], &now), Ok(expected.to_vec()));
}

#[test]
fn where_all_stands_the_blocks_stay_whole() {
    let block = [stored(9, 0, 100, 0)];
    let base = [stored(1, 0, 20, 0), stored(5, 20, 40, 0), hole(60, 40)];
    assert_eq!(current(&block, &base, &[20..60], &base), Ok(block.to_vec()));
}

#[test]
fn new_bytes_are_not_put_over_what_came_there_meanwhile() {
    let block = [stored(9, 0, 100, 0)];
    let base = [stored(1, 0, 100, 0)];
    let now = [stored(1, 0, 50, 0), stored(8, 50, 10, 0), stored(1, 60, 40, 60)];
    assert_eq!(current(&block, &base, &[20..55], &now), Err(MapError::Newer { offset: 50 }));
}

#[test]
fn what_was_installed_already_may_be_installed_again() {
    let block = [stored(9, 0, 100, 0)];
    let base = [stored(1, 0, 100, 0)];
    assert_eq!(current(&block, &base, &[20..55], &block), Ok(block.to_vec()));
}
