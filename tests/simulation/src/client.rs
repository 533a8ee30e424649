//! A client: it does one thing after another, and knows what the answers may be.

mod content;
mod names;
mod pick;
mod repeated;
mod sparse;

use std::{ops::Range, sync::Arc, time::Duration};

use dittofs_domain::{Attributes, NodeId, error::FsError};

use crate::{
    faults::Fault,
    oracle::Window,
    random::Random,
    world::{PATIENCE, Running, Seen, World},
};

/// Calls that are waited for. Where nobody waited for it, a call that removes bytes of a file shows only once the file
/// is flushed. The oracle does not know of changes that come after their call.
const KEPT: [&str; 4] = ["flush", "truncate", "punch", "clone"];

/// When nobody waits for a call any more, it is dropped within so long.
const DROPPED_MS: u64 = 30;

/// A write that was acknowledged, but not committed.
#[derive(Clone, Debug)]
struct Uncommitted {
    node: NodeId,
    range: Range<u64>,
    phase: u64,
    verifier: u64,
}

/// A client.
pub(crate) struct Client {
    number: u64,
    world: Arc<World>,
    random: Random,
    uncommitted: Vec<Uncommitted>,
    phases: u64,
    /// Whether the last answer may be that of an earlier attempt, with the attributes of then.
    again: bool,
    /// A call that was sent and not answered, as the server stopped.
    unreplied: Option<repeated::Unreplied>,
}

/// How an operation ended.
enum Answer<T> {
    Done(T),
    Refused(FsError),
    /// Nobody knows whether it happened.
    Unknown,
}

impl Client {
    pub(crate) fn new(world: &Arc<World>, seed: u64, number: u64) -> Client {
        let random = Random::stream(seed, 100 + number);
        Client {
            number,
            world: Arc::clone(world),
            random,
            uncommitted: Vec::new(),
            phases: number * 104_729,
            again: false,
            unreplied: None,
        }
    }

    /// Does so many operations.
    pub(crate) async fn work(mut self, operations: u64) {
        for _ in 0..operations {
            let running = self.world.enter().await;
            self.world.note_losses();
            let names = self.one(&running).await;
            self.world.note_losses();
            self.world.leave(&names);
            if self.world.simulation.failure().is_some() {
                break;
            }
            let pause = match self.random.below(200) {
                0..120 => 0,
                120..180 => self.random.below(50),
                180..199 => self.random.below(2_500),
                _ => self.random.below(40_000),
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.world.finish();
    }

    /// One operation; answers the names that were kept for it.
    async fn one(&mut self, running: &Running) -> Vec<(NodeId, u8)> {
        if let Some(unreplied) = self.unreplied.take() {
            self.send_again(running, unreplied).await;
            return Vec::new();
        }
        match self.random.below(100) {
            0..12 => return self.create(running).await,
            12..17 => return self.remove(running).await,
            17..24 => return self.rename(running).await,
            24..27 => return self.link(running).await,
            27..52 => self.write(running).await,
            52..59 => self.commit(running).await,
            59..69 => self.read(running).await,
            69..74 => self.truncate(running).await,
            74..79 => self.punch(running).await,
            79..82 => self.clone_range(running).await,
            82..85 => self.perforate(running).await,
            85..88 => self.set_attributes(running).await,
            88..90 => self.attributes(running).await,
            90..94 => self.lookup(running).await,
            94..98 => self.list(running).await,
            _ => self.flush(running).await,
        }
        Vec::new()
    }

    fn begin(&self) -> Window {
        self.world.oracle.lock().begin()
    }

    /// Calls the server, again where it said to come again, and judges errors that anything may be answered with. None:
    /// the server stopped.
    async fn call<T>(
        &mut self,
        running: &Running,
        what: &'static str,
        call: impl AsyncFn() -> Result<T, FsError>,
    ) -> Option<Answer<T>> {
        self.again = false;
        loop {
            let excuses = self.world.excuses();
            let is_dropped = !KEPT.contains(&what) && self.world.simulation.happens(Fault::CallDropped);
            let patience = if is_dropped { Duration::from_millis(self.random.below(DROPPED_MS)) } else { PATIENCE };
            let work = tokio::time::timeout(patience, call());
            let answer = running.life.run(work).await?;
            let Ok(answer) = answer else {
                if is_dropped {
                    return Some(Answer::Unknown);
                }
                self.world.simulation.fail(format!("{what} of client {} hangs", self.number));
                return None;
            };
            let code = answer.as_ref().map_or_else(|error| 1 + *error as u64, |_| 0);
            self.world.simulation.note(what, self.number, code);
            match answer {
                Ok(done) => return Some(Answer::Done(done)),
                Err(FsError::Busy) if self.world.is_excused(FsError::Busy, excuses) && self.random.percent(50) => {
                    self.again = true;
                    tokio::time::sleep(Duration::from_millis(self.random.below(200))).await;
                }
                Err(error @ (FsError::Busy | FsError::Io | FsError::NoSpace | FsError::Unanswered)) => {
                    if !self.world.is_excused(error, excuses) {
                        self.world.simulation.fail(format!("{what} answers {error:?} though nothing went wrong"));
                    }
                    return Some(Answer::Unknown);
                }
                // The first attempt may have happened, and this one have met it.
                Err(_) if self.again => return Some(Answer::Unknown),
                Err(error) => return Some(Answer::Refused(error)),
            }
        }
    }

    /// Checks the times and counts of an answer; those of a change are durable.
    fn check_shown(&self, shown: &Attributes, seen: &Seen, changed: bool) {
        if !self.again {
            self.world.check_shown(shown, seen, changed);
        }
    }

    fn shown_durably(&self, shown: &Attributes) {
        if !self.again {
            self.world.shown_durably(shown);
        }
    }

    /// A refusal that the model does not explain.
    fn unexplained(&self, what: &str, window: Window, error: FsError) {
        self.world.fail_answer(&format!("{what} is refused without reason"), window, &error);
    }
}
