use dittofs_domain::KeyId;

use super::*;

const MIB: u32 = 1 << 20;

fn place(raw_len: u32, seal: u32, codec: u8) -> BlockPlace {
    let stored_len = head_len(raw_len) + raw_len + seal * frame_count(raw_len);
    BlockPlace { at: 4_096, stored_len, raw_len, codec, key_id: KeyId::of_number(u32::from(seal > 0)) }
}

#[test]
fn a_frame_behind_a_network_is_asked_for_beside_the_head_and_alone() {
    for seal in [0, 28] {
        let place = place(4 * MIB, seal, CODEC_NONE);
        let gets = without_head(&place, &[77], Reach::REMOTE);
        let frame = u64::from(FRAME_BYTES + seal);
        let start = u64::from(head_len(4 * MIB)) + 77 * frame;
        let one = Get { stored: start..start + frame, frames: 77..78 };
        assert_eq!(gets, Gets { head: true, begins_with_head: false, frames: vec![one] });
    }
}

#[test]
fn the_first_frames_come_with_the_head() {
    let place = place(4 * MIB - 5, 0, CODEC_NONE);
    let all: Vec<u32> = (0..128).collect();
    let whole = Get { stored: 0..u64::from(place.stored_len), frames: 0..128 };
    for (frames, first) in [(&all[..], whole), (&all[2..3], Get { stored: 0..1_592 + 3 * 32_768, frames: 0..3 })] {
        let gets = without_head(&place, frames, Reach::REMOTE);
        assert_eq!(gets, Gets { head: false, begins_with_head: true, frames: vec![first] });
    }
}

#[test]
fn small_blocks_are_one_request_whatever_is_wanted() {
    let place = place(200 << 10, 0, 1);
    let gets = without_head(&place, &[5], Reach::REMOTE);
    assert!(!gets.head && gets.begins_with_head);
    assert_eq!(gets.frames, [Get { stored: 0..u64::from(place.stored_len), frames: 0..7 }]);
    assert_eq!(without_head(&place, &[5], Reach::LOCAL), Gets { head: true, begins_with_head: false, frames: vec![] });
}

#[test]
fn the_head_says_where_frames_of_unknown_length_are() {
    for odd in
        [BlockPlace { codec: 1, ..place(4 * MIB, 0, 1) }, BlockPlace { stored_len: 4 * MIB, ..place(4 * MIB, 0, 0) }]
    {
        let gets = without_head(&odd, &[9, 10], Reach::REMOTE);
        assert_eq!(gets, Gets { head: true, begins_with_head: false, frames: vec![] });
    }
}

#[test]
fn small_gaps_are_fetched_and_large_ones_are_not() {
    assert_eq!(runs(&[0, 1, 2, 6, 40, 41, 100], Reach::REMOTE), [0..7, 40..42, 100..101]);
    assert_eq!(runs(&[0, 1, 3], Reach::LOCAL), [0..2, 3..4]);
    assert!(runs(&[], Reach::REMOTE).is_empty());
}
