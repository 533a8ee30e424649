use std::time::{Duration, Instant};

/// How far a transfer has come that depends on a peer. Time is an argument.
///
/// A peer must move so many bytes within its patience, or finish. Fewer bytes do not begin the time anew, so that a byte
/// now and then keeps nothing alive.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    bytes_min: u64,
    since: Option<Instant>,
    moved: u64,
}

impl Progress {
    /// Of transfers that must move `bytes_min` bytes in time.
    pub fn of_at_least(bytes_min: u64) -> Progress {
        Progress { bytes_min, since: None, moved: 0 }
    }

    /// Of transfers that must end in time.
    pub fn of_the_whole() -> Progress {
        Progress::of_at_least(u64::MAX)
    }

    /// The peer is waited for. The time runs from the first call after the beginning, or after enough has moved.
    pub fn wait(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// So many bytes have moved.
    pub fn moved(&mut self, bytes: u64) {
        self.moved = self.moved.saturating_add(bytes);
        if self.moved >= self.bytes_min {
            self.end();
        }
    }

    /// The transfer is done, or does not wait for the peer.
    pub fn end(&mut self) {
        (self.since, self.moved) = (None, 0);
    }

    /// When the peer's time is up; none while nobody waits for it.
    pub fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.since.and_then(|since| since.checked_add(patience))
    }
}

#[cfg(test)]
mod tests {
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
}
