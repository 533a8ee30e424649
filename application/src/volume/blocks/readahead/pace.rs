//! How far ahead is fetched: some times what the link carries within a round trip, and no more.

use std::time::Duration;

use dittofs_domain::content::BLOCK_BYTES_MAX;
use parking_lot::Mutex;

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub(in crate::volume) struct Pace {
    /// Tasks that fetch ahead.
    pub(in crate::volume) fetchers: usize,
    /// The bytes that one task fetches at a time.
    pub(super) step: u64,
    pub(super) window_min: u64,
    pub(super) window_max: u64,
    /// Whether the window follows what is measured; otherwise it grows to its bound.
    pub(super) is_measured: bool,
}

const MIB: u64 = 1 << 20;
/// On a disk of this machine: the kernel reads ahead as well.
const LOCAL: Pace = Pace { fetchers: 4, step: MIB, window_min: MIB, window_max: 16 * MIB, is_measured: false };
/// A whole block behind a network.
const STEP: u64 = BLOCK_BYTES_MAX as u64;
/// With the usual read-ahead of 128 MiB there are 16.
const FETCHERS_MAX: u64 = 32;

impl Pace {
    /// For a store that is behind a network or not. `bytes_max` bounds what is on its way or not read yet, and so does
    /// the cache, where it has a bound: what it does not keep would be fetched again.
    pub(in crate::volume) fn new(is_remote: bool, bytes_max: u64, cache_bytes: u64) -> Pace {
        let cached_max = if cache_bytes == 0 { u64::MAX } else { cache_bytes };
        // Half of it is on its way, while the other half waits to be read.
        let window_max = (bytes_max.min(cached_max) / 2).max(MIB);
        if !is_remote {
            return Pace { window_max: LOCAL.window_max.min(window_max), ..LOCAL };
        }
        let step = STEP.min(window_max);
        Pace {
            fetchers: (window_max / step).clamp(1, FETCHERS_MAX) as usize,
            step,
            window_min: (4 * step).min(window_max),
            window_max,
            is_measured: true,
        }
    }
}

/// The measurements of the link.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<Measured>);

#[derive(Debug, Default)]
struct Measured {
    /// Bytes that have come.
    bytes: u64,
    /// Bytes a second, the most of late.
    rate: u64,
    /// How long a step takes that nothing else holds up.
    latency: Duration,
}

/// A step that is on its way.
#[derive(Clone, Copy, Debug)]
pub(in crate::volume) struct Departure {
    at: Duration,
    bytes: u64,
}

impl Link {
    pub(super) fn depart(&self, now: Duration) -> Departure {
        Departure { at: now, bytes: self.0.lock().bytes }
    }

    /// Notes that so many bytes have come.
    pub(super) fn arrive(&self, departure: Departure, bytes: u64, now: Duration) {
        let mut measured = self.0.lock();
        measured.bytes = measured.bytes.saturating_add(bytes);
        let took = now.saturating_sub(departure.at).max(Duration::from_micros(1));
        // All that came meanwhile, by this step and by others beside it.
        let came = u128::from(measured.bytes.saturating_sub(departure.bytes));
        let rate = u64::try_from(came * 1_000_000 / took.as_micros()).unwrap_or(u64::MAX);
        measured.rate = if rate > measured.rate { rate } else { measured.rate - (measured.rate - rate) / 32 };
        measured.latency = match measured.latency {
            Duration::ZERO => took,
            // A longer request has waited behind others. A link that has become slower is believed slowly.
            known if took > known => known + (took - known) / 256,
            _ => took,
        };
    }

    /// Returns how many bytes are to be on their way; none where nothing is known.
    pub(super) fn window(&self) -> Option<u64> {
        let Measured { rate, latency, .. } = *self.0.lock();
        let product = u128::from(rate) * latency.as_micros() / 1_000_000;
        // With twice as much, what is measured of a link that is not full would not make it fuller.
        (rate > 0).then(|| u64::try_from(product * 3).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
