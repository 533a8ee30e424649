//! Punching, making longer, and looking for holes.

use dittofs_domain::{
    Scale,
    content::{FILE_BYTES_MAX, MapRow, PAGE_BYTES},
    error::FsError,
};
use dittofs_ports::{BlockService, MetadataService, Seek};

use crate::share::{Share, content};

const LENGTH: usize = 100_000;

#[tokio::test(start_paused = true)]
async fn punched_bytes_are_zeros_of_which_nothing_is_kept_wherever_they_were() {
    let share = Share::new().await;
    for (name, flushed) in [("flushed", true), ("journal", false)] {
        let file = share.create(name, 0o644).await;
        let mut expected = content(3, LENGTH);
        share.write(file, 0, expected.clone()).await;
        if flushed {
            share.flush().await;
        }
        let before = share.world.share.attributes(&share.caller, file).await.unwrap();
        let changed = share.punch(file, 10_001..60_007).await;
        expected[10_001..60_007].fill(0);
        assert_eq!(share.read(file, 0..LENGTH as u64).await, expected, "{name}");
        assert_eq!(share.ranges(file).await, [0..10_001, 60_007..LENGTH as u64], "{name}");
        let after = changed.after;
        assert_eq!((after.size, after.used), (LENGTH as u64, (LENGTH - 50_006) as u64), "{name}");
        assert!(after.change > before.change && after.ctime > before.ctime && after.mtime > before.mtime);
        // To the end, beyond it, and behind it.
        share.punch(file, 90_000..u64::MAX).await;
        expected[90_000..].fill(0);
        assert_eq!(share.read(file, 0..2 * LENGTH as u64).await, expected, "{name}");
        let last = share.punch(file, LENGTH as u64..u64::MAX).await;
        assert_eq!(last.before.unwrap().change, last.after.change, "nothing has changed");
        share.flush().await;
        assert_eq!(share.read(file, 0..2 * LENGTH as u64).await, expected, "{name}");
        assert_eq!(share.stored(file).await.0.size, LENGTH as u64, "{name}");
    }
    share.check().await;
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_punch_of_the_last_unflushed_bytes_leaves_the_size() {
    let share = Share::new().await;
    let file = share.create("file", 0o644).await;
    share.write(file, 0, content(1, 1_000)).await;
    assert_eq!(share.punch(file, 500..5_000).await.after.size, 1_000);
    assert_eq!(share.stored(file).await.0.size, 1_000, "durable, as the slices that made it are gone");
    assert_eq!(share.punch(file, 0..1_000).await.after.used, 0);
    assert_eq!(share.read(file, 0..2_000).await, vec![0; 1_000]);
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_punch_clears_suid_and_needs_the_right_to_write() {
    let share = Share::new().await;
    let file = share.create("file", 0o4755).await;
    share.write(file, 0, content(1, 10)).await;
    let set = share.world.share.attributes(&share.caller, file).await.unwrap();
    assert_eq!(set.mode, 0o755, "the write has cleared it");
    let program = share.create("program", 0o4755).await;
    share.world.share.allocate(&share.caller, program, 0..10).await.unwrap();
    let grown = share.world.share.attributes(&share.caller, program).await.unwrap();
    assert_eq!((grown.mode, grown.size, grown.used), (0o755, 10, 0));
    let other = dittofs_tests::world::caller(dittofs_domain::Credentials::user(5, 5));
    let refused = share.world.share.punch(&other, file, 0..5).await;
    assert_eq!(refused.unwrap_err(), FsError::Access);
    assert_eq!(share.read(file, 0..10).await, content(1, 10));
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_allocation_changes_no_byte_and_reserves_nothing() {
    let share = Share::new().await;
    let file = share.create("file", 0o644).await;
    share.write(file, 100, content(1, 1_000)).await;
    let before = share.read(file, 0..1_100).await;
    let kept = share.world.share.allocate(&share.caller, file, 0..1_000).await.unwrap();
    assert_eq!(kept.before.unwrap().change, kept.after.change);
    let grown = share.world.share.allocate(&share.caller, file, 500..5_000).await.unwrap();
    assert_eq!((grown.after.size, grown.after.used), (5_000, 1_000));
    let read = share.read(file, 0..6_000).await;
    assert_eq!((&read[..1_100], read.len()), (&before[..], 5_000));
    assert!(read[1_100..].iter().all(|byte| *byte == 0));
    let refused = |range| share.world.share.allocate(&share.caller, file, range);
    assert_eq!(refused(0..FILE_BYTES_MAX + 1).await.unwrap_err(), FsError::TooLarge);
    assert_eq!(refused(0..1 << 50).await.unwrap_err(), FsError::NoSpace);
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn data_and_holes_are_found_in_the_journal_and_in_the_map() {
    let share = Share::new().await;
    let file = share.create("file", 0o644).await;
    let far = 1 << 50;
    share.write(file, 5 * PAGE_BYTES + 10, content(1, 1_000)).await;
    share.flush().await;
    share.write(file, far, content(2, 10)).await;
    let first = 5 * PAGE_BYTES + 10..5 * PAGE_BYTES + 1_010;
    for _ in 0..2 {
        assert_eq!(share.ranges(file).await, [first.clone(), far..far + 10]);
        assert_eq!(share.seek(file, 0, Seek::Data).await, Ok(Some(first.start)));
        assert_eq!(share.seek(file, 0, Seek::Hole).await, Ok(Some(0)));
        assert_eq!(share.seek(file, first.start + 7, Seek::Data).await, Ok(Some(first.start + 7)));
        assert_eq!(share.seek(file, first.start, Seek::Hole).await, Ok(Some(first.end)));
        assert_eq!(share.seek(file, first.end, Seek::Data).await, Ok(Some(far)));
        assert_eq!(share.seek(file, far + 9, Seek::Hole).await, Ok(Some(far + 10)), "the end is a hole");
        assert_eq!(share.seek(file, far + 10, Seek::Hole).await, Err(FsError::NothingThere));
        assert_eq!(share.seek(file, far + 10, Seek::Data).await, Err(FsError::NothingThere));
        share.flush().await;
    }
    share.punch(file, far..u64::MAX).await;
    assert_eq!(share.seek(file, first.end, Seek::Data).await, Ok(None));
    let some = share.world.share.allocated_ranges(&share.caller, file, 0..u64::MAX, 1).await.unwrap();
    assert_eq!((some.ranges, some.next), (vec![first], None));
    assert!(share.stored(file).await.1.rows.len() < 10);
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn ranges_are_answered_some_at_a_time_and_seeks_pass_many_rows() {
    let share = Share::new().await;
    let file = share.create("file", 0o644).await;
    for page in 0..1_500 {
        share.write(file, page * PAGE_BYTES, vec![7; 3]).await;
        share.write(file, page * PAGE_BYTES + PAGE_BYTES - 3, vec![7; 3]).await;
    }
    for _ in 0..2 {
        let (mut all, mut at) = (Vec::new(), 0);
        loop {
            let some = share.world.share.allocated_ranges(&share.caller, file, at..u64::MAX, 100).await.unwrap();
            assert!(some.ranges.len() <= 100);
            all.extend(some.ranges);
            let Some(next) = some.next else { break };
            at = next;
        }
        // Small holes beside what is written may have been filled; here they are large.
        assert_eq!(all.iter().map(|run| run.end - run.start).sum::<u64>(), 9_000);
        assert_eq!(share.seek(file, 3, Seek::Data).await, Ok(Some(PAGE_BYTES - 3)));
        share.flush().await;
    }
    share.world.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_punched_again_and_again_keeps_few_extents() {
    let share = Share::new().await;
    let file = share.create("file", 0o644).await;
    let mut expected = content(9, 2 << 20);
    share.write(file, 0, expected.clone()).await;
    share.flush().await;
    for number in 0..600usize {
        let start = number * 1_500;
        share.punch(file, start as u64..start as u64 + 700).await;
        expected[start..start + 700].fill(0);
    }
    assert_eq!(share.read(file, 0..2 << 20).await, expected);
    share.flush().await;
    assert_eq!(share.read(file, 0..2 << 20).await, expected);
    let extents = |row: &MapRow| match row {
        MapRow::Page { extents, .. } => extents.len(),
        MapRow::Holes { .. } => 0,
    };
    let most = share.stored(file).await.1.rows.iter().map(|(_, row)| extents(row)).max();
    assert!(most.unwrap() <= Scale::PRODUCTION.page_extents_bound(), "{most:?}");
    share.check().await;
    share.world.close().await;
}
