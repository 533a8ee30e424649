use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Returns the deadline that is due first, in seconds after the start, `now` seconds after it.
fn first(pace: &Pace, held: Held, start: Instant, now: u32) -> Option<(Slow, u64)> {
    let due = pace.due(held, &Limits::default(), start + now * SECOND).into_iter();
    let due = due.filter_map(|(slow, due)| due.map(|due| (slow, (due - start).as_secs())));
    due.min_by_key(|(_, due)| *due)
}

#[test]
fn who_holds_room_has_less_time_where_others_wait() {
    let start = Instant::now();
    let held = Held { room: true, is_short: false, is_idle: false, is_unadmitted: false };
    let short = Held { is_short: true, ..held };
    let without = Held { room: false, ..short };
    let mut pace = Pace::new(start);
    assert_eq!(first(&pace, short, start, 0), None);
    for (slow, wait) in [(Slow::Record, true), (Slow::Replies, false)] {
        pace = Pace::new(start);
        if wait {
            pace.record.wait(start)
        } else {
            pace.replies.wait(start)
        }
        assert_eq!(first(&pace, held, start, 0), Some((slow, 5)));
        assert_eq!(first(&pace, short, start, 5), Some((slow, 5)));
        assert_eq!(first(&pace, held, start, 5), Some((slow, 6)), "it looks again");
        assert_eq!(first(&pace, held, start, 59), Some((slow, 60)));
        assert_eq!(first(&pace, without, start, 5), Some((slow, 60)));
        // Who does not move at all has least.
        pace.steps.wait(start);
        assert_eq!(first(&pace, short, start, 1), Some((slow, 1)));
        assert_eq!(first(&pace, held, start, 1), Some((slow, 2)), "it looks again");
        pace.steps.moved(STEP_BYTES);
        assert_eq!(first(&pace, short, start, 1), Some((slow, 5)));
    }
}

#[test]
fn what_an_unadmitted_connection_does_does_not_lengthen_its_time() {
    let start = Instant::now();
    let idle = Held { room: false, is_short: true, is_idle: true, is_unadmitted: true };
    let known = Held { is_unadmitted: false, ..idle };
    let mut pace = Pace::new(start);
    pace.active = start + 50 * SECOND;
    assert_eq!(first(&pace, idle, start, 50), Some((Slow::Unadmitted, 60)));
    assert_eq!(first(&pace, Held { is_idle: false, ..idle }, start, 50), Some((Slow::Unadmitted, 60)));
    assert_eq!(first(&pace, known, start, 50), Some((Slow::Idle, 650)));
    assert_eq!(first(&pace, Held { is_idle: false, ..known }, start, 50), None);
}
