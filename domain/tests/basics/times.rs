use dittofs_domain::Timestamp;
use proptest::prelude::*;

fn times() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![any::<i64>(), -5..5_i64, Just(i64::MIN), Just(i64::MAX)];
    let nanos = prop_oneof![0..1_000_000_000_u32, Just(0), Just(999_999_999)];
    (seconds, nanos).prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

fn greatest() -> Timestamp {
    Timestamp::new(i64::MAX, 999_999_999).unwrap()
}

#[test]
fn nanoseconds_of_a_second_or_more_are_no_time() {
    assert!(Timestamp::new(0, 999_999_999).is_some());
    assert_eq!(Timestamp::new(0, 1_000_000_000), None);
    assert_eq!(Timestamp::new(0, u32::MAX), None);
}

#[test]
fn time_before_the_epoch_counts_nanoseconds_upwards() {
    let time = Timestamp::from_unix_nanos(-1);
    assert_eq!((time.seconds(), time.nanos()), (-1, 999_999_999));
    assert_eq!(Timestamp::from_unix_nanos(0), Timestamp::EPOCH);
}

#[test]
fn greatest_time_stays() {
    assert_eq!(greatest().next(), greatest());
    assert_eq!(greatest().advanced(Timestamp::EPOCH), greatest());
    assert_eq!(Timestamp::new(0, 999_999_999).unwrap().next(), Timestamp::new(1, 0).unwrap());
}

#[test]
fn seconds_beyond_64_bits_are_clamped() {
    assert_eq!(Timestamp::from_unix_nanos(i128::MAX).seconds(), i64::MAX);
    assert_eq!(Timestamp::from_unix_nanos(i128::MIN).seconds(), i64::MIN);
    assert_eq!(greatest().plus_ms(u64::MAX).seconds(), i64::MAX);
}

proptest! {
    #[test]
    fn nanoseconds_come_back_as_they_went(time in times()) {
        prop_assert_eq!(Timestamp::from_unix_nanos(time.unix_nanos()), time);
    }

    #[test]
    fn order_is_that_of_nanoseconds(a in times(), b in times()) {
        prop_assert_eq!(a.cmp(&b), a.unix_nanos().cmp(&b.unix_nanos()));
    }

    #[test]
    fn advanced_never_stands_still_whatever_the_clock_does(last in times(), now in times()) {
        prop_assume!(last != greatest());
        let next = last.advanced(now);
        prop_assert!(next > last);
        prop_assert!(next >= now);
        prop_assert!(next == now || next.unix_nanos() == last.unix_nanos() + 1);
    }

    #[test]
    fn milliseconds_add_up(seconds in -1_000_000_000..1_000_000_000_i64, nanos in 0..1_000_000_000_u32, ms in 0..=u64::from(u32::MAX)) {
        let time = Timestamp::new(seconds, nanos).unwrap();
        prop_assert_eq!(time.plus_ms(ms).unix_nanos(), time.unix_nanos() + i128::from(ms) * 1_000_000);
    }
}
