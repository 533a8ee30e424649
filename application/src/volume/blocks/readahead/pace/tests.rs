use super::*;

/// A link of so many bytes a second and so long a way, on which the window's steps travel side by side.
fn converge(link: &Link, rate: u64, way: Duration, rounds: u32) -> u64 {
    let mut now = Duration::from_secs(1);
    for _ in 0..rounds {
        let window = link.window().unwrap_or(16 * MIB).clamp(16 * MIB, 512 * MIB);
        let steps = window / STEP;
        let departures: Vec<Departure> = (0..steps).map(|_| link.depart(now)).collect();
        let one = Duration::from_secs_f64(STEP as f64 / rate as f64);
        now += way;
        for departure in departures {
            now += one;
            link.arrive(departure, STEP, now);
        }
    }
    link.window().unwrap()
}

#[test]
fn the_window_comes_to_a_few_times_what_the_link_carries_in_a_round_trip() {
    for (rate, milliseconds) in [(50 * MIB, 20), (400 * MIB, 20), (400 * MIB, 100), (20 * MIB, 5)] {
        let way = Duration::from_millis(milliseconds);
        let window = converge(&Link::default(), rate, way, 100);
        let one = Duration::from_secs_f64(STEP as f64 / rate as f64);
        let carries = rate as f64 * (way + one).as_secs_f64();
        let times = window as f64 / carries;
        assert!((1.5..5.0).contains(&times), "{times} times what {rate} bytes a second carry in {way:?}");
    }
}

#[test]
fn a_link_that_has_become_slower_gets_less() {
    let link = Link::default();
    let fast = converge(&link, 800 * MIB, Duration::from_millis(20), 50);
    let slow = converge(&link, 20 * MIB, Duration::from_millis(20), 50);
    assert!(slow < fast / 2, "{slow} after {fast}");
}

#[test]
fn the_bounds_are_what_was_configured_and_what_the_cache_has_room_for() {
    for (bytes, cache) in [(128 * MIB, 0), (8 * MIB, 0), (MIB, 0), (128 * MIB, 4 * MIB), (0, 1)] {
        for is_remote in [false, true] {
            let pace = Pace::new(is_remote, bytes, cache);
            assert!(pace.window_max <= (bytes / 2).max(MIB) && pace.window_min <= pace.window_max && pace.step > 0);
            assert!(cache == 0 || pace.window_max <= (cache / 2).max(MIB));
            assert!(pace.fetchers as u64 * pace.step <= pace.window_max.max(4 * MIB) && pace.fetchers > 0);
        }
    }
}
