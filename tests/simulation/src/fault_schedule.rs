//! The fault schedule of the content store: gone, throttling, or slow for a while.

use std::{sync::Arc, time::Duration};

use dittofs_ports::ContentError;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    content::unavailable,
    faults::Fault,
    life::{Life, Simulation},
};

/// How long the store is gone, at most.
const GONE_MS_MAX: u64 = 3_600_000;
/// When it has been gone for so long a read may fail with an error, rather than having to come again. Less than the
/// share's own bound, as calls may have failed before.
const ERROR_AFTER: Duration = Duration::from_secs(60);

/// When which kind of fault ends.
pub(crate) struct FaultSchedule {
    simulation: Arc<Simulation>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    gone: Option<(Instant, Instant)>,
    throttled_until: Option<Instant>,
    slow_until: Option<Instant>,
    /// Calls that were refused when it had been gone for long.
    long_refused: u64,
}

impl FaultSchedule {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> FaultSchedule {
        FaultSchedule { simulation: Arc::clone(simulation), state: Mutex::default() }
    }

    /// How many calls were refused when the store had been gone for long.
    pub(crate) fn long_refused(&self) -> u64 {
        self.state.lock().long_refused
    }

    /// Lets a call through, after a while perhaps.
    ///
    /// # Errors
    /// `Unavailable` if it gets none.
    pub(crate) async fn pass(&self, life: &Life) -> Result<(), ContentError> {
        if !self.simulation.faults.lock().enabled() {
            return Ok(());
        }
        self.change();
        if self.is_gone() {
            // Some are refused at once, others only after a time-out.
            life.pass(200).await;
            return Err(unavailable());
        }
        let now = Instant::now();
        let (throttled, slow) = {
            let state = self.state.lock();
            (state.throttled_until, state.slow_until)
        };
        if throttled.is_some_and(|until| now < until) && self.simulation.choose(|random| random.percent(80)) {
            return Err(unavailable());
        }
        if slow.is_some_and(|until| now < until) {
            life.pass(10_000).await;
        }
        Ok(())
    }

    /// Begins a fault, now and then.
    fn change(&self) {
        let begins = |fault: Fault, ms_max: u64| {
            let length = self.simulation.happens(fault).then(|| {
                // Short ones are more common.
                let ms_max = (ms_max >> self.simulation.choose(|random| random.below(10))).max(2);
                Duration::from_millis(self.simulation.choose(|random| random.below(ms_max)))
            });
            length.map(|length| Instant::now() + length)
        };
        if let Some(until) = begins(Fault::StoreGone, GONE_MS_MAX) {
            let mut state = self.state.lock();
            let since =
                state.gone.filter(|(_, until)| Instant::now() < *until).map_or_else(Instant::now, |(since, _)| since);
            state.gone = Some((since, until));
        }
        if let Some(until) = begins(Fault::StoreThrottled, 20_000) {
            self.state.lock().throttled_until = Some(until);
        }
        if let Some(until) = begins(Fault::StoreSlow, 120_000) {
            self.state.lock().slow_until = Some(until);
        }
    }

    fn is_gone(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock();
        let Some((since, _)) = state.gone.filter(|(_, until)| now < *until) else { return false };
        if now.duration_since(since) > ERROR_AFTER {
            state.long_refused += 1;
        }
        true
    }
}
