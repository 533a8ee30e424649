use proptest::prelude::*;

use super::*;

#[test]
fn known_times() {
    assert_eq!(FileTime::from_unix(0, 0), FileTime(116_444_736_000_000_000));
    assert_eq!(FileTime::from_unix(-11_644_473_600, 0), FileTime(0));
    // 2009-07-25T23:00:00.0000001Z
    assert_eq!(FileTime::from_unix(1_248_562_800, 199), FileTime(128_930_364_000_000_001));
    assert_eq!(FileTime::from_unix(-1, 999_999_900), FileTime(116_444_735_999_999_999));
    assert_eq!(FileTime(116_444_735_999_999_999).to_unix(), (-1, 999_999_900));
}

#[test]
fn times_beyond_the_range_saturate() {
    assert_eq!(FileTime::from_unix(-11_644_473_601, 999_999_999), FileTime::ZERO);
    assert_eq!(FileTime::from_unix(i64::MIN, 0), FileTime::ZERO);
    assert_eq!(FileTime::from_unix(i64::MAX, u32::MAX), FileTime::MAX);
    assert_eq!(FileTime::from_unix(910_692_730_086, 0), FileTime::MAX);
    assert!(FileTime::from_unix(910_692_730_085, 0) < FileTime::MAX);
}

#[test]
fn special_values_are_told_apart() {
    assert_eq!(TimeChange::from_field(FileTime(0)), Some(TimeChange::Unchanged));
    assert_eq!(TimeChange::from_field(FileTime(u64::MAX)), Some(TimeChange::StopUpdates));
    assert_eq!(TimeChange::from_field(FileTime(u64::MAX - 1)), Some(TimeChange::ResumeUpdates));
    assert_eq!(TimeChange::from_field(FileTime(u64::MAX - 2)), None);
    assert_eq!(TimeChange::from_field(FileTime(1 << 63)), None);
    assert_eq!(TimeChange::from_field(FileTime::MAX), Some(TimeChange::Set(FileTime::MAX)));
    assert_eq!(TimeChange::from_field(FileTime(1)), Some(TimeChange::Set(FileTime(1))));
}

proptest! {
    #[test]
    fn time_in_range_comes_back(intervals in 0..=i64::MAX as u64) {
        let (seconds, nanoseconds) = FileTime(intervals).to_unix();
        prop_assert!(nanoseconds < 1_000_000_000);
        prop_assert_eq!(FileTime::from_unix(seconds, nanoseconds), FileTime(intervals));
    }

    #[test]
    fn any_value_converts(intervals in any::<u64>(), seconds in any::<i64>(), nanoseconds in any::<u32>()) {
        prop_assert!(FileTime(intervals).to_unix().1 < 1_000_000_000);
        prop_assert!(FileTime::from_unix(seconds, nanoseconds) <= FileTime::MAX);
    }

    #[test]
    fn a_change_of_time_comes_back(intervals in any::<u64>()) {
        let field = FileTime(intervals);
        prop_assert!(TimeChange::from_field(field).is_none_or(|change| change.to_field() == field));
    }

    #[test]
    fn order_is_kept(first in any::<i64>(), second in any::<i64>()) {
        let (first, second) = (first.min(second), first.max(second));
        prop_assert!(FileTime::from_unix(first, 0) <= FileTime::from_unix(second, 0));
    }
}
