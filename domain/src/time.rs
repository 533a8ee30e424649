//! Points in time, as files carry them.

/// Seconds and nanoseconds since 1970-01-01T00:00:00Z; seconds may be negative. `nanos` is below 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

const NANOS_PER_SECOND: u32 = 1_000_000_000;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp { seconds: 0, nanos: 0 };

    /// None where `nanos` is not below 1,000,000,000.
    pub const fn new(seconds: i64, nanos: u32) -> Option<Timestamp> {
        if nanos < NANOS_PER_SECOND { Some(Timestamp { seconds, nanos }) } else { None }
    }

    /// From nanoseconds since the epoch.
    pub fn from_unix_nanos(nanos: i128) -> Timestamp {
        let per = i128::from(NANOS_PER_SECOND);
        let seconds = nanos.div_euclid(per).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp { seconds: seconds as i64, nanos: nanos.rem_euclid(per) as u32 }
    }

    /// Nanoseconds since the epoch.
    pub fn unix_nanos(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// The next nanosecond; stays at the greatest value.
    #[must_use]
    pub const fn next(self) -> Timestamp {
        if self.nanos + 1 < NANOS_PER_SECOND {
            Timestamp { seconds: self.seconds, nanos: self.nanos + 1 }
        } else {
            match self.seconds.checked_add(1) {
                Some(seconds) => Timestamp { seconds, nanos: 0 },
                None => self,
            }
        }
    }

    /// The time of a change that happens at `now` to something last changed at `self`: never stands still, never
    /// goes back, whatever the clock does.
    #[must_use]
    pub fn advanced(self, now: Timestamp) -> Timestamp {
        now.max(self.next())
    }

    /// This time plus some milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Timestamp {
        Timestamp::from_unix_nanos(self.unix_nanos() + i128::from(ms) * 1_000_000)
    }
}
