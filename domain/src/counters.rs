//! Counting what happens: numbers that only rise, and how long things took.
//!
//! Relaxed atomics and nothing else: who reads sees each number whole, but not all of them as of one instant.
//! `*_alone` is for a number that only one thread writes: it costs a plain addition, and would lose counts, never more,
//! if a second thread wrote it as well.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// The same where only this thread writes.
    #[inline]
    pub fn add_alone(&self, more: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    /// Returns the count.
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many buckets there are, the last one for all that took longer than the bounds of the others.
pub const BUCKETS: usize = 26;
/// The first bound is 2 to the power of this, in nanoseconds: 1.024 us. The last one is 17.18 s.
const FIRST_BOUND_LOG2: u32 = 10;

/// How long things took, in buckets that double.
#[derive(Debug, Default)]
pub struct Latencies {
    buckets: [Counter; BUCKETS],
    nanoseconds: Counter,
}

impl Latencies {
    /// Notes something that took so long.
    pub fn note(&self, took: Duration) {
        let nanoseconds = nanoseconds_of(took);
        if let Some(bucket) = self.buckets.get(bucket_of(nanoseconds)) {
            bucket.count();
        }
        self.nanoseconds.add(nanoseconds);
    }

    /// The same where only this thread writes.
    #[inline]
    pub fn note_alone(&self, took: Duration) {
        let nanoseconds = nanoseconds_of(took);
        if let Some(bucket) = self.buckets.get(bucket_of(nanoseconds)) {
            bucket.add_alone(1);
        }
        self.nanoseconds.add_alone(nanoseconds);
    }

    /// Returns the numbers noted so far.
    pub fn read(&self) -> LatencyCounts {
        let mut counts = LatencyCounts { nanoseconds: self.nanoseconds.read(), ..LatencyCounts::default() };
        for (count, bucket) in counts.buckets.iter_mut().zip(&self.buckets) {
            *count = bucket.read();
        }
        counts
    }
}

/// The numbers that [`Latencies`] have noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencyCounts {
    /// How many took longer than the bound before and not longer than that of the bucket.
    pub buckets: [u64; BUCKETS],
    /// How long all of them took together.
    pub nanoseconds: u64,
}

impl LatencyCounts {
    /// The bounds of all buckets but the last, in nanoseconds.
    pub fn bounds() -> impl Iterator<Item = u64> {
        (0..BUCKETS as u32 - 1).map(|bucket| 1 << (FIRST_BOUND_LOG2 + bucket))
    }

    /// How many were noted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Adds what was noted elsewhere.
    pub fn add(&mut self, other: &LatencyCounts) {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count = count.wrapping_add(more);
        }
        self.nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
    }
}

#[inline]
fn nanoseconds_of(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// Bounds belong to the buckets below them, as in Prometheus.
#[inline]
fn bucket_of(nanoseconds: u64) -> usize {
    let bits = u64::BITS - nanoseconds.saturating_sub(1).leading_zeros();
    (bits.saturating_sub(FIRST_BOUND_LOG2) as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests;
