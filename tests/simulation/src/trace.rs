//! The events of a run, in order: as a running hash, and as text for whoever wants to read it.

use std::fmt;

use tokio::time::Instant;

/// The trace of a run.
pub(crate) struct Trace {
    hash: u64,
    events: u64,
    printed: bool,
    start: Instant,
}

impl Trace {
    pub(crate) fn new(printed: bool) -> Trace {
        Trace { hash: 0xCBF2_9CE4_8422_2325, events: 0, printed, start: Instant::now() }
    }

    /// Notes an event: what it was, and two numbers that say more.
    pub(crate) fn note(&mut self, what: &'static str, a: u64, b: u64) {
        self.events += 1;
        let at = self.start.elapsed().as_millis() as u64;
        for word in [what.len() as u64, u64::from(what.as_bytes()[0]), a, b, at] {
            self.hash = (self.hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        }
        if self.printed {
            println!("{at:>8} ms  {what:<24} {a:>20} {b:>20}");
        }
    }

    /// Adds a line that only readers see.
    pub(crate) fn say(&self, line: fmt::Arguments<'_>) {
        if self.printed {
            println!("{:>8} ms  {line}", self.start.elapsed().as_millis());
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }
}
