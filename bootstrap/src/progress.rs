//! How far something is that takes a while: a bar where a person watches, a line of the log now and then elsewhere.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;

/// Hears how much is done, and of how much. Nobody by default.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(u64, u64) + Send + Sync>>);

/// Work that is faster than this is not reported.
const SILENCE: Duration = Duration::from_secs(1);
/// Between two lines of the log. A start of ten minutes is 200 lines.
const PAUSE: Duration = Duration::from_secs(3);

impl Progress {
    /// Calls this, from whichever thread does the work.
    pub fn new(report: impl Fn(u64, u64) + Send + Sync + 'static) -> Progress {
        Progress(Some(Arc::new(report)))
    }

    /// Shows it on standard error.
    pub(crate) fn shown(what: String) -> Progress {
        match io::stderr().is_terminal() {
            true => bar(what),
            false => lines(what, Instant::now, |line| tracing::info!("{line}")),
        }
    }

    /// Reports how far it is.
    pub fn report(&self, done: u64, of: u64) {
        if let Some(report) = &self.0 {
            report(done, of);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_some() { "Progress(..)" } else { "Progress" })
    }
}

fn bar(what: String) -> Progress {
    let began = Instant::now();
    let bar = ProgressBar::hidden();
    if let Ok(style) = ProgressStyle::with_template("{msg} [{wide_bar}] {percent:>3} % {eta} left") {
        bar.set_style(style);
    }
    bar.set_message(what);
    Progress::new(move |done, of| {
        if began.elapsed() < SILENCE {
            return;
        }
        if bar.is_hidden() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        bar.set_length(of);
        bar.set_position(done.min(of));
        if done >= of {
            bar.finish_and_clear();
        }
    })
}

/// A line once it has gone on for a while, others at most every few seconds, and a last one.
fn lines(
    what: String,
    clock: impl Fn() -> Instant + Send + Sync + 'static,
    write: impl Fn(String) + Send + Sync + 'static,
) -> Progress {
    let next = Mutex::new((clock() + SILENCE, false));
    Progress::new(move |done, of| {
        let now = clock();
        let mut next = next.lock();
        let (due, has_begun) = *next;
        let is_last = done >= of && has_begun;
        if now < due && !is_last {
            return;
        }
        *next = (now + PAUSE, !is_last);
        let percent = if of == 0 { 100 } else { u128::from(done.min(of)) * 100 / u128::from(of) };
        write(format!("{what}: {percent} %"));
    })
}

#[cfg(test)]
mod tests;
