//! The breaker: a store that doesn't answer is asked by one request at a time, so that the others fail at once instead
//! of piling up.

use std::time::Duration;

use dittofs_ports::ContentError;
use opendal::{Error, ErrorKind};
use parking_lot::Mutex;
use tokio::time::Instant;

/// How long nobody else asks after a request that failed, and after one that was let through. Long enough that an
/// outage costs two requests a second, short enough that nobody notices its end late.
const PAUSE: Duration = Duration::from_millis(500);

/// Closed while all is well.
pub(super) struct Breaker {
    ask_at: Mutex<Option<Instant>>,
}

impl Breaker {
    pub(super) fn new() -> Breaker {
        Breaker { ask_at: Mutex::new(None) }
    }

    pub(super) fn enter(&self) -> Result<(), ContentError> {
        if self.is_open() { Err(ContentError::Unavailable("it did not answer a moment ago".into())) } else { Ok(()) }
    }

    pub(super) fn enter_as_opendal(&self) -> opendal::Result<()> {
        if self.is_open() {
            return Err(Error::new(ErrorKind::Unexpected, "it did not answer a moment ago").set_persistent());
        }
        Ok(())
    }

    /// Whether a request was answered, be it by a refusal.
    pub(super) fn note(&self, answered: bool) {
        *self.ask_at.lock() = if answered { None } else { Some(Instant::now() + PAUSE) };
    }

    fn is_open(&self) -> bool {
        let mut ask_at = self.ask_at.lock();
        let now = Instant::now();
        match *ask_at {
            Some(at) if now < at => true,
            Some(_) => {
                *ask_at = Some(now + PAUSE);
                false
            }
            None => false,
        }
    }
}
