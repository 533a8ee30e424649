use super::*;

fn bucket_where_it_is(nanoseconds: u64) -> usize {
    let latencies = Latencies::default();
    latencies.note(Duration::from_nanos(nanoseconds));
    let counts = latencies.read();
    assert_eq!((counts.count(), counts.nanoseconds), (1, nanoseconds));
    counts.buckets.iter().position(|count| *count == 1).unwrap()
}

#[test]
fn what_takes_exactly_as_long_as_a_bound_is_below_it() {
    assert_eq!(bucket_where_it_is(0), 0);
    assert_eq!(bucket_where_it_is(1), 0);
    for (bucket, bound) in LatencyCounts::bounds().enumerate() {
        assert_eq!(bucket_where_it_is(bound), bucket, "{bound}");
        assert_eq!(bucket_where_it_is(bound + 1), bucket + 1, "{bound} + 1");
    }
    assert_eq!(bucket_where_it_is(u64::MAX), BUCKETS - 1);
}

#[test]
fn bounds_double_from_about_a_microsecond_to_about_17_seconds() {
    let bounds: Vec<u64> = LatencyCounts::bounds().collect();
    assert_eq!((bounds.len(), bounds[0]), (BUCKETS - 1, 1_024));
    assert_eq!(*bounds.last().unwrap(), 17_179_869_184);
    assert!(bounds.is_sorted_by(|a, b| *b == 2 * a));
}

#[test]
fn noting_alone_and_noting_among_others_come_to_the_same() {
    let (alone, shared) = (Latencies::default(), Latencies::default());
    for nanoseconds in [3, 1_025, 70_000, 70_001, u64::MAX >> 8] {
        alone.note_alone(Duration::from_nanos(nanoseconds));
        shared.note(Duration::from_nanos(nanoseconds));
    }
    assert_eq!(alone.read(), shared.read());
    let mut both = alone.read();
    both.add(&shared.read());
    assert_eq!(both.count(), 10);
    assert_eq!(both.nanoseconds, 2 * alone.read().nanoseconds);
}

#[test]
fn threads_that_share_a_counter_lose_nothing() {
    let counter = Counter::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).for_each(|_| counter.count()));
        }
    });
    counter.add_alone(2);
    assert_eq!(counter.read(), 40_002);
}
