//! One life of the server: from its start to its crash. Everything it touches goes through here, so that the machine can
//! stop between any two steps.

use std::{
    future::{Future, pending},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use dittofs_domain::Scale;
use dittofs_ports::Spawner;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::{sync::Notify, task::AbortHandle};

use crate::{
    boundary::Watch,
    faults::{Fault, Faults},
    random::Random,
    trace::Trace,
};

/// The state that all lives of a run have in common.
pub(crate) struct Simulation {
    pub(crate) faults: Mutex<Faults>,
    pub(crate) trace: Mutex<Trace>,
    pub(crate) watch: Mutex<Watch>,
    random: Mutex<Random>,
    failure: Mutex<Option<String>>,
    failed: Notify,
}

impl Simulation {
    pub(crate) fn new(seed: u64, printed: bool, scale: &Scale) -> Arc<Simulation> {
        Arc::new(Simulation {
            faults: Mutex::new(Faults::new(seed)),
            trace: Mutex::new(Trace::new(printed)),
            watch: Mutex::new(Watch::new(scale)),
            random: Mutex::new(Random::stream(seed, 2)),
            failure: Mutex::new(None),
            failed: Notify::new(),
        })
    }

    pub(crate) fn happens(&self, fault: Fault) -> bool {
        let happens = self.faults.lock().happens(fault);
        if happens {
            self.trace.lock().say(format_args!("fault: {fault:?}"));
        }
        happens
    }

    /// A fault that was decided elsewhere.
    pub(crate) fn count(&self, fault: Fault) {
        self.faults.lock().counts.note(fault);
        self.trace.lock().say(format_args!("fault: {fault:?}"));
    }

    pub(crate) fn note(&self, what: &'static str, a: u64, b: u64) {
        self.trace.lock().note(what, a, b);
    }

    /// A random choice of the stores.
    pub(crate) fn choose<T>(&self, choose: impl FnOnce(&mut Random) -> T) -> T {
        choose(&mut self.random.lock())
    }

    /// Something that must not be: the first one ends the run.
    pub(crate) fn fail(&self, what: String) {
        self.trace.lock().say(format_args!("FAILURE: {what}"));
        self.failure.lock().get_or_insert(what);
        self.failed.notify_waiters();
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().clone()
    }

    /// Waits until something has failed.
    pub(crate) async fn failed(&self) {
        let failed = self.failed.notified();
        if self.failure().is_none() {
            failed.await;
        }
    }
}

/// A life.
pub(crate) struct Life {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) number: u64,
    state: Mutex<State>,
    died: Notify,
}

struct State {
    dead: bool,
    /// Steps until the machine stops.
    fuse: Option<u64>,
    tasks: Vec<AbortHandle>,
}

impl Life {
    pub(crate) fn new(simulation: &Arc<Simulation>, number: u64) -> Arc<Life> {
        let state = State { dead: false, fuse: None, tasks: Vec::new() };
        Arc::new(Life { simulation: Arc::clone(simulation), number, state: Mutex::new(state), died: Notify::new() })
    }

    /// Lets the machine stop after so many steps.
    pub(crate) fn light_fuse(&self, steps: u64) {
        self.state.lock().fuse = Some(steps);
    }

    pub(crate) fn extinguish_fuse(&self) {
        self.state.lock().fuse = None;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state.lock().dead
    }

    /// Ends this life: nothing that it started goes on.
    pub(crate) fn die(&self) {
        let tasks = {
            let mut state = self.state.lock();
            state.dead = true;
            std::mem::take(&mut state.tasks)
        };
        for task in tasks {
            task.abort();
        }
        self.died.notify_waiters();
    }

    /// Waits for the end of this life.
    pub(crate) async fn died(&self) {
        let died = self.died.notified();
        if !self.is_dead() {
            died.await;
        }
    }

    /// A point between two steps, where the machine may stop. Who comes here in a life that has ended never leaves.
    pub(crate) async fn step(&self) {
        let stops = {
            let mut state = self.state.lock();
            match &mut state.fuse {
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            }
        };
        if stops && !self.is_dead() {
            self.simulation.note("stop", self.number, 0);
            self.die();
        }
        if self.is_dead() {
            pending::<()>().await;
        }
    }

    /// Takes some time, and is a point between two steps.
    pub(crate) async fn pass(&self, usual_ms: u64) {
        self.step().await;
        let wait = self.simulation.choose(|random| match random.below(8) {
            0..4 => None,
            4..7 => Some(random.below(usual_ms + 1)),
            _ => Some(random.below(usual_ms * 10 + 1)),
        });
        match wait {
            None => {}
            Some(0) => tokio::task::yield_now().await,
            Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
        self.step().await;
    }

    /// Runs something of this life's; none if the life ends before it does.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.died() => None,
            done = work => Some(done),
        }
    }
}

/// Starts the tasks of a life.
pub(crate) struct LifeSpawner(pub(crate) Arc<Life>);

impl Spawner for LifeSpawner {
    fn spawn(&self, name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) {
        let simulation = Arc::clone(&self.0.simulation);
        let guarded = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                simulation.fail(format!("the task {name} panicked"));
            }
        };
        let task = tokio::spawn(guarded);
        let mut state = self.0.state.lock();
        if state.dead {
            task.abort();
        } else {
            state.tasks.push(task.abort_handle());
        }
    }
}
