//! Calls of one method, by result and with their latencies.

use std::time::Duration;

use dittofs_domain::counters::{Counter, Latencies};
use dittofs_ports::{Clock, statistics::StoreCalls};

/// Counts of a method with `N` results.
#[derive(Debug)]
pub(crate) struct Calls<const N: usize> {
    operation: &'static str,
    names: [&'static str; N],
    results: [Counter; N],
    latencies: Latencies,
}

impl<const N: usize> Calls<N> {
    pub(crate) fn new(operation: &'static str, names: [&'static str; N]) -> Calls<N> {
        let results = std::array::from_fn(|_| Counter::default());
        Calls { operation, names, results, latencies: Latencies::default() }
    }

    /// Waits for a call, and counts it: `result` says which of the names its outcome has. One that is abandoned is not
    /// counted.
    pub(crate) async fn of<T>(
        &self,
        clock: &dyn Clock,
        call: impl Future<Output = T> + Send,
        result: impl FnOnce(&T) -> usize + Send,
    ) -> T {
        let began = clock.monotonic();
        let outcome = call.await;
        self.note(clock.monotonic().saturating_sub(began), result(&outcome));
        outcome
    }

    fn note(&self, took: Duration, result: usize) {
        if let Some(result) = self.results.get(result) {
            result.count();
        }
        self.latencies.note(took);
    }

    pub(crate) fn read(&self) -> StoreCalls {
        let results = self.names.iter().zip(&self.results).map(|(name, count)| (*name, count.read()));
        StoreCalls { operation: self.operation, results: results.collect(), latencies: self.latencies.read() }
    }
}
