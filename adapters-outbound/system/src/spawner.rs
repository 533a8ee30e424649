//! Tasks.

use std::{future::Future, pin::Pin};

use dittofs_ports::Spawner;
use tokio::runtime::Handle;
use tracing::Instrument;

/// Runs tasks on a runtime, each in a span with its name.
#[derive(Clone, Debug)]
pub struct TokioSpawner {
    runtime: Handle,
}

impl TokioSpawner {
    /// Tasks go to this runtime, whichever thread asks.
    pub fn new(runtime: Handle) -> TokioSpawner {
        TokioSpawner { runtime }
    }
}

impl Spawner for TokioSpawner {
    fn spawn(&self, name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) {
        self.runtime.spawn(task.instrument(tracing::info_span!("task", name)));
    }
}

#[cfg(test)]
mod tests;
