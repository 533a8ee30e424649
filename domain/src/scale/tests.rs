use super::*;

#[test]
fn the_known_scales_are_valid() {
    assert!(Scale::PRODUCTION.is_valid());
    assert!(Scale::TINY.is_valid());
}

#[test]
fn sizes_that_do_not_fit_each_other_are_no_scale() {
    for bad in [
        Scale { page_bytes: 0, ..Scale::TINY },
        Scale { page_bytes: 3 << 10, ..Scale::TINY },
        Scale { region_bytes: 6 << 10, ..Scale::TINY },
        Scale { region_bytes: 0, ..Scale::TINY },
        Scale { chunk_bytes: 40 << 10, ..Scale::TINY },
        Scale { chunk_bytes: 0, ..Scale::TINY },
        Scale { object_bytes: 7 << 10, ..Scale::TINY },
        Scale { object_blocks: 0, ..Scale::TINY },
        Scale { plan_rows: 8, ..Scale::TINY },
        Scale { plan_steps: 10, ..Scale::TINY },
        Scale { plan_steps: 5_000, ..Scale::TINY },
        Scale { segment_bytes: 0, ..Scale::TINY },
    ] {
        assert!(!bad.is_valid(), "{bad:?}");
    }
}

#[test]
fn pages_and_chunks_are_counted_from_offsets() {
    let scale = Scale::TINY;
    assert_eq!((scale.page_of(4_095), scale.page_of(4_096), scale.pages_of(4_097)), (0, 1, 2));
    assert_eq!((scale.chunk_of(7), scale.chunk_of(8), scale.chunk_start(9), scale.chunk_end(9)), (0, 1, 8, 16));
    assert_eq!(scale.region_start(40_000), 32_768);
}
