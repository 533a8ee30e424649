use super::*;

#[test]
fn a_write_is_news_once_a_minute_for_each_writer() {
    let (writes, now) = (RecordedWrites::default(), Instant::now());
    assert!(writes.is_news(1, now) && writes.is_news(2, now));
    assert!(!writes.is_news(1, now + WRITES_APART - Duration::from_millis(1)));
    assert!(writes.is_news(1, now + WRITES_APART));
    assert!(!writes.is_news(1, now + WRITES_APART));
}

#[test]
fn what_is_remembered_is_bounded() {
    let (writes, now) = (RecordedWrites::default(), Instant::now());
    assert!((0..=WRITES_MAX).all(|writer| writes.is_news(writer, now)));
    assert!(writes.0.lock().len() <= WRITES_MAX);
}
