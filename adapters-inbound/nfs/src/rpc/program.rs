use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::call_line::CallLine;
use super::{AuthStat, Call, Credential, Operations, Outcome, Reply};

/// An RPC program: NFS, MOUNT, the portmapper.
#[async_trait]
pub trait Program: Send + Sync {
    /// The program's number.
    fn number(&self) -> u32;

    /// The versions that are served, the lowest first: at least one.
    fn versions(&self) -> &'static [u32];

    /// Returns the names by which its calls are counted and logged.
    fn operations(&self) -> Operations {
        Operations::OF_NOBODY
    }

    /// About how many bytes of payload the reply to `call` may have. The transport counts them, with the call's own, against the
    /// connection's bytes in flight.
    fn reply_bytes_max(&self, _call: &Call) -> usize {
        0
    }

    /// Whether it writes the log's line of each call of its procedures itself, as it has more to say of them.
    fn logs_calls(&self) -> bool {
        false
    }

    /// Returns the result with which a call of a procedure ended, for its line in the log.
    fn result(&self, procedure: u32, outcome: Outcome) -> &'static str {
        self.operations().result(procedure, outcome)
    }

    /// Returns the path that a call names, for its line in the log.
    fn path(&self, _call: &Call) -> Option<String> {
        None
    }

    /// Carries out a call of a served version and a procedure other than NULL. The credential is [`Credential::None`] or
    /// [`Credential::Sys`].
    async fn call(&self, call: Call) -> Reply;
}

/// A call that is being carried out.
pub type CallFuture<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// The programs that are served together on one address.
#[derive(Clone)]
pub struct Programs {
    list: Arc<[Arc<dyn Program>]>,
}

/// The state of a call that was dispatched.
pub enum Dispatch<'a> {
    /// It is answered.
    Ready(Reply),
    /// Its program works on it.
    Running {
        /// The work.
        future: CallFuture<'a>,
        /// About how many bytes of payload the reply may have.
        reply_bytes_max: usize,
    },
}

const PROCEDURE_NULL: u32 = 0;

impl Programs {
    /// The programs in `list`; of two with one number, the first is served.
    pub fn new(list: Vec<Arc<dyn Program>>) -> Self {
        Self { list: list.into() }
    }

    /// Finds the program of a call and starts it; where the log is asked for that, each has a line in it, whatever
    /// becomes of it.
    pub fn dispatch(&self, call: Call) -> Dispatch<'_> {
        let program = self.list.iter().find(|program| program.number() == call.program).map(Arc::as_ref);
        let line = CallLine::begin(&call, program);
        let is_logged = program.is_some_and(|program| {
            line.is_some() && program.logs_calls() && program.operations().procedure(call.procedure).is_some()
        });
        match (Self::start(program, call), line) {
            (Dispatch::Ready(reply), Some(line)) => {
                line.end(&reply);
                Dispatch::Ready(reply)
            }
            (Dispatch::Running { future, reply_bytes_max }, Some(line)) if !is_logged => {
                let future = Box::pin(async move {
                    let reply = future.await;
                    line.end(&reply);
                    reply
                });
                Dispatch::Running { future, reply_bytes_max }
            }
            (dispatch, _) => dispatch,
        }
    }

    /// NULL is answered here. A flavour that is not served is refused first of all, also for NULL: a client that probes
    /// for it must not take the answer for a yes.
    fn start(program: Option<&dyn Program>, call: Call) -> Dispatch<'_> {
        match call.credential {
            Credential::None | Credential::Sys(_) => {}
            Credential::Unknown(_) | Credential::Malformed => {
                return Dispatch::Ready(Reply::auth_error(AuthStat::BadCred));
            }
        }
        let Some(program) = program else { return Dispatch::Ready(Reply::prog_unavail()) };
        let versions = program.versions();
        if !versions.contains(&call.version) {
            let (low, high) = (versions.first().copied(), versions.last().copied());
            return Dispatch::Ready(Reply::prog_mismatch(low.unwrap_or_default(), high.unwrap_or_default()));
        }
        if call.procedure == PROCEDURE_NULL {
            return Dispatch::Ready(Reply::success(&()));
        }
        let reply_bytes_max = program.reply_bytes_max(&call);
        Dispatch::Running { future: program.call(call), reply_bytes_max }
    }

    /// The programs by their numbers, with what their calls are counted as.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (u32, Operations)> {
        self.list.iter().map(|program| (program.number(), program.operations()))
    }

    /// Carries out a call to its end.
    pub async fn call(&self, call: Call) -> Reply {
        match self.dispatch(call) {
            Dispatch::Ready(reply) => reply,
            Dispatch::Running { future, .. } => future.await,
        }
    }
}
