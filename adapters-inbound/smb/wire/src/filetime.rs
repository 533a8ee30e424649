//! Times of files, MS-DTYP 2.3.3: intervals of 100 ns since 1601-01-01 UTC.

use crate::layout::wrapped_field;

/// A FILETIME. Zero stands for no time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FileTime(pub u64);
wrapped_field!(FileTime(u64));

impl FileTime {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The latest time: later ones would be negative for receivers that take the field as signed.
    pub const MAX: Self = Self(i64::MAX as u64);

    const INTERVALS_PER_SECOND: u64 = 10_000_000;
    const NANOSECONDS_PER_INTERVAL: u32 = 100;
    /// Seconds from 1601-01-01 to 1970-01-01.
    const UNIX_EPOCH_SECONDS: i64 = 11_644_473_600;

    /// The time that is so many seconds, and nanoseconds further, from the start of 1970. Part of an interval is
    /// cut off. A time before 1601 becomes [`Self::ZERO`], one that is too late [`Self::MAX`].
    #[must_use]
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        let seconds = i128::from(seconds) + i128::from(Self::UNIX_EPOCH_SECONDS);
        let intervals =
            seconds * i128::from(Self::INTERVALS_PER_SECOND) + i128::from(nanoseconds / Self::NANOSECONDS_PER_INTERVAL);
        if intervals < 0 {
            return Self::ZERO;
        }
        u64::try_from(intervals).map_or(Self::MAX, |intervals| Self(intervals).min(Self::MAX))
    }

    /// The seconds since the start of 1970, negative before, and the nanoseconds further, below 10^9.
    #[must_use]
    pub fn to_unix(self) -> (i64, u32) {
        // A u64 of intervals is at most 1.9 * 10^12 seconds, and the rest is below 10^9: both conversions hold.
        let seconds = i64::try_from(self.0 / Self::INTERVALS_PER_SECOND).unwrap_or(i64::MAX);
        let intervals = u32::try_from(self.0 % Self::INTERVALS_PER_SECOND).unwrap_or(0);
        (seconds - Self::UNIX_EPOCH_SECONDS, intervals * Self::NANOSECONDS_PER_INTERVAL)
    }
}

/// A time of a request to set attributes, MS-FSCC 2.4.7 (FileBasicInformation).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeChange {
    /// 0: leave the time as it is.
    Unchanged,
    /// -1: leave the time as it is, and from now on let operations on this open not update it.
    StopUpdates,
    /// -2: let operations on this open update the time again.
    ResumeUpdates,
    /// Set the time.
    Set(FileTime),
}

impl TimeChange {
    const STOP_UPDATES: FileTime = FileTime(u64::MAX);
    const RESUME_UPDATES: FileTime = FileTime(u64::MAX - 1);

    /// The meaning of a field. Other negative values have none: a server answers STATUS_INVALID_PARAMETER to them.
    #[must_use]
    pub fn from_field(field: FileTime) -> Option<Self> {
        match field {
            FileTime::ZERO => Some(Self::Unchanged),
            Self::STOP_UPDATES => Some(Self::StopUpdates),
            Self::RESUME_UPDATES => Some(Self::ResumeUpdates),
            time if time <= FileTime::MAX => Some(Self::Set(time)),
            _ => None,
        }
    }

    /// The field with this meaning.
    #[cfg(any(test, feature = "client"))]
    #[must_use]
    pub fn to_field(self) -> FileTime {
        match self {
            Self::Unchanged => FileTime::ZERO,
            Self::StopUpdates => Self::STOP_UPDATES,
            Self::ResumeUpdates => Self::RESUME_UPDATES,
            Self::Set(time) => time,
        }
    }
}

#[cfg(test)]
mod tests;
