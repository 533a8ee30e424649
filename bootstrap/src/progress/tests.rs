use super::*;

/// Reports at these seconds after the beginning, and what was written then.
fn written(reports: &[(u64, u64, u64)]) -> Vec<String> {
    let written = Arc::new(Mutex::new(Vec::new()));
    let now = Arc::new(Mutex::new(Instant::now()));
    let begin = *now.lock();
    let (clock, lines_of) = (Arc::clone(&now), Arc::clone(&written));
    let progress = lines("recovery".into(), move || *clock.lock(), move |line| lines_of.lock().push(line));
    for (second, done, of) in reports {
        *now.lock() = begin + Duration::from_secs(*second);
        progress.report(*done, *of);
    }
    written.lock().clone()
}

#[test]
fn what_is_done_at_once_is_not_mentioned() {
    assert!(written(&[(0, 1, 9), (0, 9, 9)]).is_empty());
}

#[test]
fn what_takes_long_is_reported_every_few_seconds_and_at_its_end() {
    let lines = written(&[(0, 1, 9), (1, 2, 9), (2, 3, 9), (3, 4, 9), (4, 5, 9), (5, 9, 9)]);
    assert_eq!(lines, ["recovery: 22 %", "recovery: 55 %", "recovery: 100 %"]);
}

#[test]
fn the_greatest_numbers_are_reported_as_well() {
    assert_eq!(written(&[(2, u64::MAX, u64::MAX), (9, 0, 0)]), ["recovery: 100 %", "recovery: 100 %"]);
}
