use super::*;

#[test]
fn times_before_the_epoch_are_negative_with_nanoseconds_counted_forwards() {
    let before = timestamp(UNIX_EPOCH - Duration::from_nanos(1));
    assert_eq!((before.seconds(), before.nanos()), (-1, 999_999_999));
    let after = timestamp(UNIX_EPOCH + Duration::new(1_700_000_000, 5));
    assert_eq!((after.seconds(), after.nanos()), (1_700_000_000, 5));
}

#[tokio::test]
async fn sleeping_takes_at_least_as_long_as_was_asked_for() {
    let clock = SystemClock::new();
    let (start, of_day) = (clock.monotonic(), clock.now());
    clock.sleep(Duration::from_millis(20)).await;
    assert!(clock.monotonic() - start >= Duration::from_millis(20));
    assert!(of_day > Timestamp::EPOCH);
}
