//! The fronts: one thread a core, each with a single-threaded runtime, on which connections run to their end.

use std::{io, num::NonZero, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// The running fronts.
pub(super) struct Fronts {
    threads: Vec<Front>,
}

struct Front {
    handle: Handle,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Fronts {
    /// Starts a front for each core.
    pub(super) fn start() -> io::Result<Fronts> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = (0..cores).map(Front::start).collect::<io::Result<_>>()?;
        Ok(Fronts { threads })
    }

    /// Handles of all fronts.
    pub(super) fn handles(&self) -> Vec<Handle> {
        self.threads.iter().map(|front| front.handle.clone()).collect()
    }

    /// Stops the threads; what still runs on them is dropped.
    pub(super) fn stop(self) {
        for front in self.threads {
            // It fails only where the thread has ended by itself.
            let _ = front.stop.send(());
            if front.thread.join().is_err() {
                tracing::error!("a front thread panicked");
            }
        }
    }
}

impl Front {
    fn start(number: usize) -> io::Result<Front> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name(format!("front-{number}")).spawn(move || {
            // Ends too where the sender is gone.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Front { handle, stop, thread })
    }
}
