//! Operations with a name: a client whose call is not answered sends it again under the same name, also to the server
//! that comes after a crash, and gets the answer that the first one would have got.

use std::time::Duration;

use dittofs_domain::{NodeId, OpId, error::FsError};
use futures_util::{FutureExt, future::LocalBoxFuture};

use super::{Answer, Client};
use crate::world::{PATIENCE, Running};

type Again = Box<dyn Fn(Running, Option<OpId>) -> LocalBoxFuture<'static, Result<Option<NodeId>, FsError>>>;

/// A call without an answer.
pub(super) struct Unreplied {
    what: &'static str,
    op: OpId,
    /// The nodes that must be there for an answer.
    of: Vec<NodeId>,
    again: Again,
}

impl Client {
    fn op_id(&mut self) -> OpId {
        OpId(u128::from(self.random.bits()) << 64 | u128::from(self.random.bits()))
    }

    /// As [`Client::call`], mostly as an operation with a name. Without an answer the same is sent again; where the
    /// server says to come again it has not been done, and is sent as another operation. So every answer is the truth.
    ///
    /// `of` are the nodes that the call is about, `made` is what it made.
    pub(super) async fn call_once<T: 'static, F>(
        &mut self,
        running: &Running,
        (what, of): (&'static str, Vec<NodeId>),
        made: fn(&T) -> Option<NodeId>,
        send: impl Fn(Running, Option<OpId>) -> F + 'static,
    ) -> Option<Answer<T>>
    where
        F: Future<Output = Result<T, FsError>> + 'static,
    {
        if self.random.percent(30) {
            return self.call(running, what, async || send(running.clone(), None).await).await;
        }
        self.again = false;
        let mut op = self.op_id();
        loop {
            let excuses = self.world.excuses();
            let work = tokio::time::timeout(PATIENCE, send(running.clone(), Some(op)));
            let Some(answer) = running.life.run(work).await else {
                let again: Again = Box::new(move |running, op| {
                    send(running, op).map(move |answer| answer.map(|answer| made(&answer))).boxed_local()
                });
                self.unreplied = Some(Unreplied { what, op, of, again });
                return None;
            };
            let Ok(answer) = answer else {
                self.world.simulation.fail(format!("{what} of client {} hangs", self.number));
                return None;
            };
            let code = answer.as_ref().map_or_else(|error| 1 + *error as u64, |_| 0);
            self.world.simulation.note(what, self.number, code);
            let error = match answer {
                Ok(done) => return Some(Answer::Done(done)),
                Err(error) => error,
            };
            match error {
                FsError::Busy | FsError::Io | FsError::NoSpace | FsError::Unanswered => {
                    if !self.world.is_excused(error, excuses) {
                        self.world.simulation.fail(format!("{what} answers {error:?} though nothing went wrong"));
                        return Some(Answer::Unknown);
                    }
                }
                refused => return Some(Answer::Refused(refused)),
            }
            if error == FsError::Busy && self.world.carried_out.lock().contains_key(&op) {
                self.world.simulation.fail(format!("{what} is to be sent as another call, and was done"));
            }
            match error {
                FsError::Busy if self.random.percent(50) => op = self.op_id(),
                FsError::Unanswered => {}
                _ => return Some(Answer::Unknown),
            }
            tokio::time::sleep(Duration::from_millis(self.random.below(200))).await;
        }
    }

    /// Sends a call again to another server than the first time. What was carried out is answered as it would have been
    /// then, whatever others have done since.
    pub(super) async fn send_again(&mut self, running: &Running, unreplied: Unreplied) {
        let Some(made) = self.world.carried_out.lock().get(&unreplied.op).copied() else { return };
        let Unreplied { what, op, of, again } = &unreplied;
        let window = self.begin();
        let excuses = self.world.excuses();
        let work = tokio::time::timeout(PATIENCE, again(running.clone(), Some(*op)));
        let answer = running.life.run(work).await;
        let may_be_gone = {
            let mut oracle = self.world.oracle.lock();
            let nodes = || of.iter().chain(&made);
            let may_be_gone = nodes().any(|node| oracle.tree.may_be_gone(*node, window.start));
            oracle.end(window);
            may_be_gone
        };
        let Some(answer) = answer else {
            self.unreplied = Some(unreplied);
            return;
        };
        self.world.simulation.note("again", self.number, u64::from(matches!(answer, Ok(Ok(_)))));
        let failure = match answer {
            Ok(Ok(found)) if found == made => return,
            Ok(Err(FsError::Stale)) if may_be_gone => return,
            Ok(Err(error)) if self.world.is_excused(error, excuses) => return,
            answer => answer,
        };
        let failure = format!("{what} was carried out and made {made:?}; sent again, it is answered {failure:?}");
        self.world.simulation.fail(failure);
    }
}
