use dittofs_smb_wire::control::Chunk;
use proptest::prelude::*;

use super::{Span, first_run};

proptest! {
    #[test]
    fn pieces_of_one_file_copy_as_if_all_was_read_first(
        (source, target, length, bytes_max) in (0..40_usize, 0..40_usize, 0..40_usize, 1..12_u32),
    ) {
        let before: Vec<u8> = (0..80).collect();
        let mut expected = before.clone();
        expected[target..target + length].copy_from_slice(&before[source..source + length]);
        let mut copied = before;
        let span = Span { source: source as u64, target: target as u64, length: length as u64 };
        for piece in span.pieces(bytes_max) {
            prop_assert!((1..=u64::from(bytes_max)).contains(&piece.length));
            let (from, to, length) = (piece.source as usize, piece.target as usize, piece.length as usize);
            let read = copied[from..from + length].to_vec();
            copied[to..to + length].copy_from_slice(&read);
        }
        prop_assert_eq!(copied, expected);
    }

    #[test]
    fn ranges_overlap_where_they_have_a_byte_in_common(source in 0..20_u64, target in 0..20_u64, length in 0..20_u64) {
        let span = Span { source, target, length };
        let common = (source..source + length).any(|byte| (target..target + length).contains(&byte));
        prop_assert_eq!(span.overlaps(), common);
    }

    #[test]
    fn runs_cover_all_chunks_in_their_order(
        chunks in prop::collection::vec((0..4_u64, 0..4_u64, 1..4_u32), 0..12),
        count_max in 1..5_usize,
    ) {
        let chunks: Vec<Chunk> = chunks
            .into_iter()
            .map(|(source_offset, target_offset, length)| Chunk { source_offset, target_offset, length })
            .collect();
        let mut rest = &chunks[..];
        while let Some((run, count)) = first_run(rest, count_max) {
            prop_assert!((1..=count_max).contains(&count));
            let mut at = 0;
            for chunk in &rest[..count] {
                prop_assert_eq!((chunk.source_offset, chunk.target_offset), (run.source + at, run.target + at));
                at += u64::from(chunk.length);
            }
            prop_assert_eq!(at, run.length);
            rest = &rest[count..];
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn no_offset_is_too_great(source: u64, target: u64, length: u32) {
        let chunk = Chunk { source_offset: source, target_offset: target, length };
        let (run, count) = first_run(&[chunk, chunk], 2).unwrap();
        prop_assert_eq!(count, if length == 0 { 2 } else { 1 });
        prop_assert_eq!(run.source_end().is_some(), source.checked_add(u64::from(length)).is_some());
    }
}

#[test]
fn chunks_behind_one_another_are_one_run() {
    let chunk = |at: u64| Chunk { source_offset: 100 + at, target_offset: at, length: 10 };
    let chunks = [chunk(0), chunk(10), chunk(20), chunk(31)];
    assert_eq!(first_run(&chunks, 4), Some((Span { source: 100, target: 0, length: 30 }, 3)));
    assert_eq!(first_run(&chunks, 2), Some((Span { source: 100, target: 0, length: 20 }, 2)));
    assert_eq!(first_run(&[], 2), None);
}
