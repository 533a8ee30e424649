use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_byte_now_and_then_does_not_begin_the_time_anew() {
    let start = Instant::now();
    for mut progress in [Progress::of_the_whole(), Progress::of_at_least(1000)] {
        assert_eq!(progress.deadline(PATIENCE), None);
        for seconds in (0..60).step_by(20) {
            progress.wait(start + Duration::from_secs(seconds));
            progress.moved(1);
            assert_eq!(progress.deadline(PATIENCE), Some(start + PATIENCE));
        }
    }
}

#[test]
fn enough_bytes_or_the_end_begin_it_anew() {
    let start = Instant::now();
    let later = start + Duration::from_secs(30);
    let mut progress = Progress::of_at_least(1000);
    progress.wait(start);
    progress.moved(600);
    progress.moved(400);
    progress.wait(later);
    assert_eq!(progress.deadline(PATIENCE), Some(later + PATIENCE));
    progress.end();
    assert_eq!(progress.deadline(PATIENCE), None);
}
